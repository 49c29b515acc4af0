//! An object store on loopback that answers PUT requests from a list.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// What the store does with one connection.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    /// Reads the request and answers with a status and a body.
    Answer(u16, &'static str),
    /// Reads that many bytes of the body and closes the connection.
    Cut(usize),
}

/// A request that came in.
#[derive(Debug)]
pub struct Request {
    /// Method, path and query, version.
    pub line: String,
    /// The other lines of the head, as sent.
    pub headers: Vec<String>,
    /// As much of the body as was read.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The running store.
pub struct ObjectStore {
    port: u16,
    server: JoinHandle<io::Result<Vec<Request>>>,
}

impl ObjectStore {
    /// Starts a store that serves as many connections as there are replies.
    ///
    /// # Errors
    /// If no port on loopback can be had.
    pub fn start(replies: Vec<Reply>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let server = std::thread::spawn(move || {
            replies
                .into_iter()
                .map(|reply| serve(&listener.accept()?.0, reply))
                .collect()
        });
        Ok(Self { port, server })
    }

    /// A URL of the store.
    pub fn url(&self, object: &str) -> String {
        format!("http://127.0.0.1:{}{object}", self.port)
    }

    /// Waits until every reply was given, and hands back what came.
    ///
    /// # Errors
    /// If a connection broke otherwise than it was told to.
    pub fn requests(self) -> io::Result<Vec<Request>> {
        self.server
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the store panicked")))
    }
}

fn serve(stream: &TcpStream, reply: Reply) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut request = Request {
        line: if head.is_empty() {
            String::new()
        } else {
            head.remove(0)
        },
        headers: head,
        body: Vec::new(),
    };
    let mut writer = stream;
    if request.header("Expect").is_some() {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = request.header("Content-Length").unwrap_or("0");
    let length: u64 = length.parse().map_err(io::Error::other)?;
    let read = match reply {
        Reply::Answer(..) => length,
        Reply::Cut(bytes) => bytes as u64,
    };
    (&mut reader).take(read).read_to_end(&mut request.body)?;
    if let Reply::Answer(status, body) = reply {
        write!(
            writer,
            "HTTP/1.1 {status} Status\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
    }
    Ok(request)
}
