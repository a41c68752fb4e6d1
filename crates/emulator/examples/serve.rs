//! Runs an emulator until Ctrl-C, for curl and for unmodified clients through the proxy.
//!
//! `cargo run -p fichier-emulator --example serve -- [DIRECTORY] [limits=real] [listen=ADDR] [proxy=ADDR]
//! [ca=FILE] [log=FILE] [lag=MS] [fault=SPEC]…`
#![allow(clippy::print_stdout, reason = "an example says where it listens")]

use std::time::Duration;

use fichier_emulator::{Emulator, Storage};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Emulator::builder();
    let mut ca = None;
    for argument in std::env::args().skip(1) {
        builder = match argument.split_once('=') {
            None => builder.storage(Storage::Directory(argument.into())),
            Some(("limits", value)) => builder.limits(value.parse()?),
            Some(("listen", value)) => builder.listen(value.parse()?),
            Some(("proxy", value)) => builder.proxy(value.parse()?),
            Some(("log", value)) => builder.request_log(value),
            Some(("lag", value)) => builder.lag(Duration::from_millis(value.parse()?)),
            Some(("fault", value)) => builder.fault(value.parse()?),
            Some(("ca", value)) => {
                ca = Some(value.to_owned());
                builder
            }
            Some((key, _)) => return Err(format!("unknown option {key}").into()),
        };
    }
    let emulator = builder.start().await?;
    if let Some(path) = ca {
        emulator.write_ca(path)?;
    }
    println!("endpoint {}", emulator.endpoint());
    println!("api key  {}", emulator.api_key());
    if let Some(proxy) = emulator.proxy_addr() {
        println!("proxy    http://{proxy}");
    }
    tokio::signal::ctrl_c().await?;
    emulator.shutdown().await;
    Ok(())
}
