//! One file over HTTP: streamed to a partial file, resumed, checked, and only then put in place.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use super::sets::File;
use crate::progress::Progress;

/// A client with its patience.
pub(super) struct Client {
    agent: ureq::Agent,
    /// Connections to try before giving up; each goes on where the last one ended.
    attempts: u32,
}

/// What an attempt came to.
enum Attempt {
    /// All bytes are there.
    Whole,
    /// It broke off: the next attempt may go on.
    Broken(anyhow::Error),
}

impl Client {
    /// Gives up on a connection that is silent for longer than `stall`.
    pub(super) fn new(stall: Duration, attempts: u32) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(stall))
            .timeout_recv_response(Some(stall))
            .timeout_per_read(Some(stall))
            .http_status_as_error(false)
            .accept_encoding("identity")
            .build()
            .new_agent();
        Self { agent, attempts }
    }

    /// Brings the file into the folder, unless it is there already. Whatever happens, no bad file
    /// gets its name; the bytes of a broken download stay beside it as `NAME.part`, for the next
    /// call to go on with.
    pub(super) fn fetch(&self, url: &str, file: &File, folder: &Path) -> Result<()> {
        let (place, part) =
            (folder.join(file.name()), folder.join(format!("{}.part", file.name())));
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        if place.is_file() && sha256(&place)? == file.sha256 {
            eprintln!("{}: already there", file.name());
            return Ok(());
        }
        let mut attempt = 0;
        while let Attempt::Broken(error) = self.attempt(url, file, &part)? {
            attempt += 1;
            if attempt == self.attempts {
                return Err(error.context(format!(
                    "{url}: gave up after {attempt} connections; run the same command to go on"
                )));
            }
            eprintln!("{}: {error:#}; going on", file.name());
        }
        let found = sha256(&part)?;
        if found != file.sha256 {
            fs::remove_file(&part)?;
            bail!("{url}: SHA-256 is {found}, it must be {}: nothing is kept", file.sha256);
        }
        fs::rename(&part, &place).with_context(|| format!("cannot write {}", place.display()))
    }

    /// One connection, from where the partial file ends.
    fn attempt(&self, url: &str, file: &File, part: &Path) -> Result<Attempt> {
        let have = fs::metadata(part).map_or(0, |part| part.len());
        if have == file.bytes {
            return Ok(Attempt::Whole);
        }
        let mut request = self.agent.get(url);
        if have > 0 && have < file.bytes {
            request = request.header("range", format!("bytes={have}-"));
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(ureq::Error::BadUri(what)) => bail!("{url} is not an address: {what}"),
            Err(error) => return Ok(Attempt::Broken(anyhow!("{url}: {error}"))),
        };
        let resumed = match response.status().as_u16() {
            200 => false,
            206 if starts_at(&response, have) => true,
            206 | 416 => {
                // the server's idea of the file is another one than ours: begin anew
                let _ = fs::remove_file(part);
                return Ok(Attempt::Broken(anyhow!("the server cannot go on at byte {have}")));
            }
            status => bail!("{url}: the server answers {status}"),
        };
        let mut done = if resumed { have } else { 0 };
        let mut out = OpenOptions::new()
            .create(true)
            .write(true)
            .append(resumed)
            .truncate(!resumed)
            .open(part)
            .with_context(|| format!("cannot write {}", part.display()))?;
        let progress = Progress::bytes(file.name(), file.bytes, done);
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 1 << 16];
        let broken = loop {
            match body.read(&mut buffer) {
                Ok(0) => break None,
                Ok(n) if done + n as u64 > file.bytes => {
                    drop(out);
                    fs::remove_file(part)?;
                    bail!("{url}: the server sends more than the {} bytes expected", file.bytes);
                }
                Ok(n) => {
                    out.write_all(&buffer[..n])
                        .with_context(|| format!("cannot write {}", part.display()))?;
                    done += n as u64;
                    progress.set(done);
                }
                Err(error) => break Some(error),
            }
        };
        out.sync_all().with_context(|| format!("cannot write {}", part.display()))?;
        progress.finish();
        if done == file.bytes {
            return Ok(Attempt::Whole);
        }
        let why = broken.map_or("the connection ended".into(), |error| error.to_string());
        Ok(Attempt::Broken(anyhow!("{why} after {done} of {} bytes", file.bytes)))
    }
}

/// Whether a partial answer begins at that byte.
fn starts_at(response: &ureq::http::Response<ureq::Body>, byte: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {byte}-")))
}

/// The SHA-256 of a file, in hexadecimal.
fn sha256(path: &Path) -> Result<String> {
    let mut file =
        fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
