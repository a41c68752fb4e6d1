//! `emulate` imitates the 1Fichier service on this machine.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use fichier_emulator::{
    Account, Checksums, Emulator, FaultSpec, FolderRename, Limits, Lists, LongNames, MkdirExisting, Storage,
    Windows,
};

use crate::context::Context;
use crate::flags;

/// Imitate the 1Fichier service on this machine
#[derive(Debug, Args)]
#[command(
    after_help = "Serves the API, the upload and download nodes and the site on one port, until Ctrl-C. \
    With --proxy, programs that have the service's host names built in can be pointed at it: set HTTPS_PROXY to \
    the proxy, and have them trust the certificate that --ca-out writes. Nothing ever leaves this machine.\n\n\
    Counters, faults and the tree are at /_emulator/.\n\n\
    Examples:\n  fichier emulate --state ./service\n  \
    fichier emulate --limits scaled:100 --fault endpoint=file/ls,kind=flood,times=1\n  \
    fichier emulate --proxy 127.0.0.1:8443 --ca-out ca.pem"
)]
pub(crate) struct Arguments {
    /// The address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    addr: SocketAddr,

    /// Let --addr and --proxy be reached from other machines
    #[arg(long)]
    allow_remote: bool,

    /// Keep files and folders in this directory; without it they are in memory and gone at the end
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Keep what was acknowledged even through a power cut, at the price of speed
    #[arg(long)]
    durable: bool,

    /// How the service computes checksums: independent, by code that no client shares, or fast, to measure with
    #[arg(long, value_name = "WAY", default_value = "independent")]
    checksums: Checksums,

    /// The service's limits: real, scaled:N (all times divided by N) or off
    #[arg(long, value_name = "LIMITS", default_value = "off")]
    limits: Limits,

    /// Listen here as a proxy that ends TLS for the service's hosts
    #[arg(long, value_name = "ADDRESS")]
    proxy: Option<SocketAddr>,

    /// Write the certificate that clients of the proxy must trust to this file
    #[arg(long, value_name = "FILE", requires = "proxy")]
    ca_out: Option<PathBuf>,

    /// The account's API key
    #[arg(long, value_name = "KEY", default_value = fichier_emulator::DEMO_KEY)]
    key: String,

    /// The account's mail address
    #[arg(long, value_name = "ADDRESS", default_value = "demo@example.com")]
    email: String,

    /// What the account may store, in bytes
    #[arg(long, value_name = "BYTES")]
    quota: Option<u64>,

    /// How long changes take to show in listings
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = flags::duration)]
    lag: Duration,

    /// How many files a listing tells at most; the limits bring 5000
    #[arg(long, value_name = "N")]
    listing_cap: Option<usize>,

    /// How many files one call may remove, move, copy or rename; any number without it
    #[arg(long, value_name = "N")]
    most_items: Option<usize>,

    /// What becomes of a list with an item that can't be served: whole (the call is refused) or partial
    #[arg(long, value_name = "WAY", default_value = "whole")]
    lists: Lists,

    /// What making a folder of a name that exists does: refuse, same or duplicate
    #[arg(long, value_name = "WAY", default_value = "refuse")]
    mkdir_existing: MkdirExisting,

    /// What moving and renaming a directory in one call does: moves (both) or stays (it is only renamed)
    #[arg(long, value_name = "WAY", default_value = "moves")]
    folder_rename: FolderRename,

    /// In which time dates are written: paris (French time, as the service does) or utc
    #[arg(long, value_name = "ZONE", default_value = "paris", value_parser = ["paris", "utc"])]
    dates: String,

    /// What sent_before and sent_after of file/ls do: exclusive or inclusive (of their own second), or ignored
    #[arg(long, value_name = "WAY", default_value = "exclusive")]
    windows: Windows,

    /// What download tokens serve that were asked for with single: 0: many requests, or a single one
    #[arg(long, value_name = "WAY", default_value = "many", value_parser = ["many", "single"])]
    tokens: String,

    /// Whether file/info finds a file of the account itself by folder and name: yes or no
    #[arg(long, value_name = "WAY", default_value = "yes", value_parser = ["yes", "no"])]
    file_by_name: String,

    /// How many characters the name of an uploaded file has at most; any number without it
    #[arg(long, value_name = "N")]
    longest_name: Option<usize>,

    /// What becomes of an uploaded file with a longer name: cut, or drop (the file isn't stored)
    #[arg(long, value_name = "WAY", default_value = "cut")]
    long_names: LongNames,

    /// How many files one upload may bring
    #[arg(long, value_name = "N", default_value_t = 500)]
    upload_files: usize,

    /// What becomes of an upload that brings more files: refuse, or drop (it keeps those that it may bring)
    #[arg(long, value_name = "WAY", default_value = "refuse", value_parser = ["refuse", "drop"])]
    upload_excess: String,

    /// How long an upload may take, in hours, before its connection is closed; fractions are allowed
    #[arg(long, value_name = "HOURS", default_value = "4", value_parser = hours)]
    upload_hours: Duration,

    /// A fault, as `endpoint=NAME,kind=KIND[,name=PART][,after=N][,times=N]`; may be given several times
    #[arg(long, value_name = "FAULT")]
    fault: Vec<FaultSpec>,

    /// Write each request to this file, a line of JSON each
    #[arg(long, value_name = "FILE")]
    request_log: Option<PathBuf>,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let mut account = Account::new(&arguments.key, &arguments.email);
    if let Some(quota) = arguments.quota {
        account.quota = quota;
    }
    let mut builder = Emulator::builder()
        .listen(arguments.addr)
        .allow_remote(arguments.allow_remote)
        .storage(arguments.state.clone().map_or(Storage::Memory, Storage::Directory))
        .durable(arguments.durable)
        .checksums(arguments.checksums)
        .limits(arguments.limits)
        .lag(arguments.lag)
        .most_items(arguments.most_items)
        .lists(arguments.lists)
        .mkdir_existing(arguments.mkdir_existing)
        .folder_rename(arguments.folder_rename)
        .windows(arguments.windows)
        .single_tokens(arguments.tokens == "single")
        .file_by_name(arguments.file_by_name == "yes")
        .longest_name(arguments.longest_name, arguments.long_names)
        .upload_files(arguments.upload_files)
        .drops_excess(arguments.upload_excess == "drop")
        .upload_time(arguments.upload_hours)
        .account(account);
    if arguments.dates == "paris" {
        builder = builder.french_dates();
    }
    // Without the flag, the limits' own cap holds.
    if let Some(cap) = arguments.listing_cap {
        builder = builder.listing_cap(Some(cap));
    }
    if let Some(proxy) = arguments.proxy {
        builder = builder.proxy(proxy);
    }
    if let Some(file) = &arguments.request_log {
        builder = builder.request_log(file);
    }
    for fault in &arguments.fault {
        builder = builder.fault(fault.clone());
    }
    let emulator = builder.start().await.context("can't start the emulator")?;
    let endpoint = emulator.endpoint();
    writeln!(context.out, "endpoint  {endpoint}")?;
    writeln!(context.out, "api key   {}", emulator.api_key())?;
    if let Some(proxy) = emulator.proxy_addr() {
        writeln!(context.out, "proxy     http://{proxy}")?;
    }
    if let Some(file) = &arguments.ca_out {
        emulator.write_ca(file).with_context(|| format!("can't write {}", file.display()))?;
        writeln!(context.out, "ca        {}", file.display())?;
    }
    // A client keeps the service's intervals unless it is given others.
    let pace = match arguments.limits {
        Limits::Off => ",call_gap=0,folder_gap=0,all_files_gap=0".to_owned(),
        Limits::Scaled(factor) if factor >= 2.0 => format!(",time_scale={}", factor.floor()),
        _ => String::new(),
    };
    let remote = format!(":fichier,api_key={},endpoint=\"{endpoint}\"{pace}:", emulator.api_key());
    writeln!(context.out, "try       fichier lsf '{remote}'")?;
    context.out.flush()?;
    wait_for_end().await?;
    emulator.shutdown().await;
    Ok(())
}

/// Reads a number of hours.
fn hours(text: &str) -> Result<Duration, String> {
    let hours = text.parse::<f64>().map_err(|_| "expected a number of hours".to_owned())?;
    Duration::try_from_secs_f64(hours * 3600.0).map_err(|error| error.to_string())
}

/// Returns at Ctrl-C, or when the process is asked to end.
async fn wait_for_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut told = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = told.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
