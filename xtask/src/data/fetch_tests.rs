//! Fetching from a server on loopback that truncates, stalls and lies.

use super::*;
use crate::data::sets::file;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server does with a connection.
#[derive(Clone, Copy)]
enum Manner {
    Honest,
    /// Sends so many bytes of what it promised, then closes.
    Truncates(usize),
    /// Sends so many bytes, then nothing, without closing.
    Stalls(usize),
    /// Sends other bytes.
    Lies,
    /// Sends more than it should.
    TooMuch,
    /// Answers a range with the whole file.
    IgnoresRanges,
    /// Answers a range with another one.
    WrongRange,
    Missing,
    /// Sends the client to the same address again.
    Redirects,
}

const NAME: &str = "data.bin";

fn content() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Where each connection asked the server to start.
type Asked = Arc<Mutex<Vec<Option<usize>>>>;

/// Serves one connection after the other, each in its manner.
fn serve(manners: Vec<Manner>) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/{NAME}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for manner in manners {
            let (stream, _) = listener.accept().unwrap();
            let start = range(&stream);
            log.lock().unwrap().push(start);
            held.extend(answer(stream, manner, start));
        }
        // a stalled connection stays open for as long as the tests run
        std::thread::park();
    });
    (address, asked)
}

fn range(stream: &TcpStream) -> Option<usize> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let head = head.join("\n").to_lowercase();
    head.split_once("range: bytes=")?.1.split_once('-')?.0.parse().ok()
}

/// Answers, and returns the stream if it is to stay open.
fn answer(mut stream: TcpStream, manner: Manner, start: Option<usize>) -> Option<TcpStream> {
    let mut body = content();
    let start = start.filter(|_| !matches!(manner, Manner::IgnoresRanges));
    match manner {
        Manner::Lies => body.iter_mut().for_each(|byte| *byte ^= 1),
        Manner::TooMuch => body.extend([0; 10]),
        _ => {}
    }
    let body = &body[start.unwrap_or(0)..];
    let partial = |from: usize| format!("206 Partial\r\nContent-Range: bytes {from}-199999/200000");
    let status = match (manner, start) {
        (Manner::Missing, _) => "404 Not Found".to_string(),
        (Manner::Redirects, _) => format!("302 Found\r\nLocation: /{NAME}"),
        (Manner::WrongRange, Some(_)) => partial(7),
        (_, Some(from)) => partial(from),
        (_, None) => "200 OK".to_string(),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let sent = match manner {
        Manner::Truncates(n) | Manner::Stalls(n) => n.min(length),
        _ => length,
    };
    // the client may hang up first
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..sent]));
    matches!(manner, Manner::Stalls(_)).then_some(stream)
}

/// One call of `fetch`, and what it left.
struct Case {
    folder: tempfile::TempDir,
    result: Result<()>,
    asked: Vec<Option<usize>>,
}

impl Case {
    fn run(manners: Vec<Manner>) -> Self {
        Self::run_in(tempfile::tempdir().unwrap(), manners)
    }

    fn run_in(folder: tempfile::TempDir, manners: Vec<Manner>) -> Self {
        let client = Client::new(Duration::from_millis(500), manners.len() as u32);
        let (url, asked) = serve(manners);
        let hash = Sha256::digest(content()).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let file = file(NAME, 200_000, hash.leak());
        let result = client.fetch(&url, &file, folder.path());
        let asked = asked.lock().unwrap().clone();
        Self { folder, result, asked }
    }

    fn is_right(&self) -> bool {
        self.result.is_ok()
            && fs::read(self.folder.path().join(NAME)).unwrap() == content()
            && self.part().is_none()
    }

    /// The message, after making sure that nothing has the file's name.
    fn refused(&self) -> String {
        assert!(!self.folder.path().join(NAME).exists());
        format!("{:#}", self.result.as_ref().unwrap_err())
    }

    fn part(&self) -> Option<u64> {
        fs::metadata(self.folder.path().join("data.bin.part")).ok().map(|part| part.len())
    }
}

#[test]
fn an_honest_server_is_asked_once() {
    let case = Case::run(vec![Manner::Honest]);
    assert!(case.is_right(), "{:?}", case.result);
    let again = Case::run_in(case.folder, vec![Manner::Missing]);
    assert!(again.is_right() && again.asked.is_empty(), "the file is there already");
}

#[test]
fn a_broken_download_goes_on_where_it_ended() {
    let manners = vec![Manner::Truncates(70_000), Manner::Truncates(50_000), Manner::Honest];
    let case = Case::run(manners);
    assert!(case.is_right(), "{:?}", case.result);
    assert_eq!(case.asked, [None, Some(70_000), Some(120_000)]);
}

#[test]
fn what_came_is_kept_for_the_next_call() {
    let case = Case::run(vec![Manner::Truncates(70_000)]);
    assert!(case.refused().contains("after 70000 of 200000 bytes"), "{}", case.refused());
    assert_eq!(case.part(), Some(70_000));
    let case = Case::run_in(case.folder, vec![Manner::Honest]);
    assert!(case.is_right(), "{:?}", case.result);
    assert_eq!(case.asked, [Some(70_000)]);
}

#[test]
fn a_stalled_server_is_left() {
    let case = Case::run(vec![Manner::Stalls(30_000), Manner::Honest]);
    assert!(case.is_right(), "{:?}", case.result);
    let case = Case::run(vec![Manner::Stalls(30_000)]);
    assert!(case.refused().contains("timeout"), "{}", case.refused());
    assert_eq!(case.part(), Some(30_000));
}

#[test]
fn a_lie_is_not_kept() {
    let case = Case::run(vec![Manner::Lies]);
    assert!(case.refused().contains("SHA-256 is "), "{}", case.refused());
    assert_eq!(case.part(), None);
    let case = Case::run(vec![Manner::TooMuch]);
    assert!(case.refused().contains("more than the 200000 bytes expected"), "{}", case.refused());
    assert_eq!(case.part(), None);
    // a good beginning with a false end
    let case = Case::run(vec![Manner::Truncates(70_000), Manner::Lies]);
    assert!(case.refused().contains("SHA-256 is "), "{}", case.refused());
}

#[test]
fn a_bad_file_of_the_name_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(NAME), b"old").unwrap();
    let case = Case::run_in(folder, vec![Manner::Honest]);
    assert!(case.is_right(), "{:?}", case.result);
}

#[test]
fn a_server_without_ranges_starts_again() {
    let case = Case::run(vec![Manner::Truncates(70_000), Manner::IgnoresRanges]);
    assert!(case.is_right(), "{:?}", case.result);
    let case = Case::run(vec![Manner::Truncates(70_000), Manner::WrongRange, Manner::Honest]);
    assert!(case.is_right(), "{:?}", case.result);
    assert_eq!(case.asked, [None, Some(70_000), None]);
}

#[test]
fn a_redirect_is_followed_with_the_range() {
    let manners =
        vec![Manner::Redirects, Manner::Truncates(70_000), Manner::Redirects, Manner::Honest];
    let case = Case::run(manners);
    assert!(case.is_right(), "{:?}", case.result);
    assert_eq!(case.asked, [None, None, Some(70_000), Some(70_000)]);
    // where it leads to may lie as well
    let case = Case::run(vec![Manner::Redirects, Manner::Lies]);
    assert!(case.refused().contains("SHA-256 is "), "{}", case.refused());
}

#[test]
fn errors_of_the_server_are_named() {
    assert!(Case::run(vec![Manner::Missing]).refused().ends_with("the server answers 404"));
    let client = Client::new(Duration::from_millis(500), 1);
    let folder = tempfile::tempdir().unwrap();
    let file = file(NAME, 1, "");
    let error = client.fetch("http://127.0.0.1:1/x", &file, folder.path()).unwrap_err();
    assert!(format!("{error:#}").contains("gave up after 1 connections"), "{error:#}");
}
