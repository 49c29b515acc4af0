//! As much HTTP/1.1 as a metadata service needs: one request a connection, no proxy, small answers.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Most bytes of the head of an answer.
const HEAD: usize = 16 * 1024;
/// Most bytes of a body that are kept.
pub(super) const BODY: usize = 4096;

/// A request.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    head: String,
    /// The body, cut at [`BODY`].
    pub(super) body: Vec<u8>,
}

impl Response {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// Sends the request and reads the answer, both within `time`.
pub(super) fn send(
    address: SocketAddr,
    request: &Request<'_>,
    time: Duration,
) -> io::Result<Response> {
    let until = Instant::now() + time;
    let mut stream = TcpStream::connect_timeout(&address, time)?;
    stream.set_write_timeout(Some(time))?;
    stream.write_all(text(request).as_bytes())?;
    let mut source = Timed { stream, until };
    let (head, rest) = read_head(&mut source)?;
    let status = status(&head).ok_or(io::ErrorKind::InvalidData)?;
    let mut source = rest.as_slice().chain(source);
    let chunked = header(&head, "Transfer-Encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let length = header(&head, "Content-Length").and_then(|length| length.parse().ok());
    let body = if chunked {
        read_chunks(&mut source)?
    } else {
        read_at_most(&mut source, length.unwrap_or(BODY).min(BODY))?
    };
    Ok(Response { status, head, body })
}

fn text(request: &Request<'_>) -> String {
    let Request {
        method,
        host,
        path,
        headers,
    } = request;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in *headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if *method == "PUT" {
        text.push_str("Content-Length: 0\r\n");
    }
    text.push_str("Accept: */*\r\nConnection: close\r\n\r\n");
    text
}

/// A stream that ends at a moment, however slowly it gives.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

/// The head without its empty line, and what came after it.
fn read_head(source: &mut impl Read) -> io::Result<(String, Vec<u8>)> {
    const END: &[u8] = b"\r\n\r\n";
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    while bytes.len() < HEAD {
        let read = source.read(&mut piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend(piece.get(..read).unwrap_or_default());
        if let Some(end) = bytes.windows(END.len()).position(|four| four == END) {
            let rest = bytes.split_off(end + END.len());
            bytes.truncate(end);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// The status of `HTTP/1.x NNN …`.
fn status(head: &str) -> Option<u16> {
    let mut words = head.lines().next()?.split(' ');
    let version = words.next()?;
    let status = words.next()?.parse().ok()?;
    (version.starts_with("HTTP/1.") && (100..600).contains(&status)).then_some(status)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn read_at_most(source: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    source.take(most as u64).read_to_end(&mut body)?;
    Ok(body)
}

/// Chunks, each after its length in hex, up to an empty one.
fn read_chunks(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(source)?;
        let length = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(length, 16).map_err(io::Error::other)?;
        let room = BODY.saturating_sub(body.len());
        if length == 0 || room == 0 {
            return Ok(body);
        }
        let piece = read_at_most(source, length.min(room))?;
        let whole = piece.len() == length;
        body.extend(piece);
        if !whole {
            return Ok(body);
        }
        read_line(source)?;
    }
}

fn read_line(source: &mut impl Read) -> io::Result<String> {
    /// Longer is no length of a chunk.
    const LINE: usize = 256;
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < LINE {
        source.read_exact(&mut byte)?;
        match byte {
            [b'\n'] => return Ok(String::from_utf8_lossy(&line).trim().to_owned()),
            [other] => line.push(other),
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}
