//! The emulated service of one run: `fichier emulate` as a process of its own, behind its proxy.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};

/// Key of the account. No secret: it opens nothing but an emulator.
pub(crate) use fichier_emulator::DEMO_KEY as KEY;

/// A running service; it ends when this is dropped.
pub(crate) struct Service {
    process: Child,
    /// Address: `127.0.0.1:PORT`.
    address: String,
    /// Address of the proxy: `http://127.0.0.1:PORT`.
    pub(crate) proxy: String,
    pub(crate) certificate: PathBuf,
}

impl Service {
    /// Serves the state below `place`.
    pub(crate) fn start(fichier: &Path, place: &Path, limits: &str) -> anyhow::Result<Self> {
        let certificate = place.join("ca.pem");
        let mut process = Command::new(fichier)
            // No program has to wait for the checksums of the other side.
            .args(["emulate", "--proxy", "127.0.0.1:0", "--checksums", "fast", "--limits", limits])
            .arg("--state")
            .arg(place.join("state"))
            .arg("--ca-out")
            .arg(&certificate)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("can't start the emulator")?;
        let stdout = process.stdout.take().context("the emulator has no output")?;
        let mut told = BTreeMap::new();
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            let (name, value) = line.split_once("  ").unwrap_or((&line, ""));
            told.insert(name.trim().to_owned(), value.trim().to_owned());
            if name == "try" {
                break;
            }
        }
        let address = told.get("endpoint").and_then(|url| url.strip_prefix("http://"));
        let (Some(address), Some(proxy)) = (address, told.get("proxy")) else {
            // It isn't waited for: its output is missing because it has ended.
            let _ = process.kill();
            bail!("the emulator didn't say where it listens");
        };
        let address = address.trim_end_matches('/').to_owned();
        Ok(Self { process, address, proxy: proxy.clone(), certificate })
    }

    /// Returns the number of requests by endpoint, and of flood answers.
    pub(crate) fn counters(&self) -> anyhow::Result<(BTreeMap<String, u64>, u64)> {
        let answer: serde_json::Value = serde_json::from_slice(&self.ask("GET", "counters")?)?;
        let requests = answer["requests"].as_object().context("the counters have no requests")?;
        let requests = requests.iter().filter_map(|(name, count)| Some((name.clone(), count.as_u64()?)));
        Ok((
            requests.filter(|(_, count)| *count > 0).collect(),
            answer["floods"].as_u64().unwrap_or_default(),
        ))
    }

    /// Sets the counters to zero.
    pub(crate) fn reset_counters(&self) -> anyhow::Result<()> {
        self.ask("POST", "counters/reset").map(drop)
    }

    /// Returns how many files the account holds.
    pub(crate) fn stored_files(&self) -> anyhow::Result<u64> {
        let answer: serde_json::Value = serde_json::from_slice(&self.ask("GET", "count")?)?;
        answer["files"].as_u64().context("the count has no files")
    }

    /// Sends one request to the emulator's control, which is on this machine and closes when it has answered.
    fn ask(&self, method: &str, path: &str) -> anyhow::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.address)?;
        write!(
            stream,
            "{method} /_emulator/{path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            self.address,
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n").context("a broken answer")?;
        let first = String::from_utf8_lossy(&answer[..head]).lines().next().unwrap_or_default().to_owned();
        ensure!(first.contains(" 200"), "the emulator's control answers {first}");
        Ok(answer.split_off(head + 4))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
