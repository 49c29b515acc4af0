//! When a PUT is tried again, and what a server's answer means.

use std::io::{self, Read, Seek};
use std::time::{Duration, Instant};

use super::{Answer, Put, Target, UploadError};

/// Pauses before the second and each further attempt: half a minute in all, within which a server
/// that restarts or sheds load comes back, and a person still waits.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// How often progress is reported.
const PROGRESS: Duration = Duration::from_secs(10);

/// Most characters of a server's own words that are repeated.
const DETAIL_CHARS: usize = 200;

/// Sends the file until the server takes it, refuses it for good, or the attempts are used up.
pub(super) fn run(
    put: &dyn Put,
    target: &Target,
    file: &mut (impl Read + Seek),
    bytes: u64,
    report: &mut dyn FnMut(&str),
    mut pause: impl FnMut(Duration),
) -> Result<(), UploadError> {
    let mut pauses = PAUSES.iter();
    for attempt in 1.. {
        file.rewind().map_err(UploadError::Read)?;
        let mut body = Body {
            file: &mut *file,
            left: bytes,
            bytes,
            fault: None,
            reported: Instant::now(),
            report: &mut *report,
        };
        let answer = put.put(target, &mut body, bytes);
        if let Some(fault) = body.fault {
            return Err(UploadError::Read(fault));
        }
        let error = match answer {
            Ok(Answer {
                status: 200..=299, ..
            }) => {
                report(&format!("upload: sent {bytes} bytes"));
                return Ok(());
            }
            Ok(answer) => UploadError::Refused {
                status: answer.status,
                detail: detail(&answer),
            },
            Err(last) => UploadError::Unreachable {
                attempts: attempt,
                last,
            },
        };
        let Some(&wait) = pauses.next().filter(|_| may_pass(&error)) else {
            return Err(error);
        };
        let what = match &error {
            UploadError::Unreachable { last, .. } => last.clone(),
            other => other.to_string(),
        };
        report(&format!(
            "upload: attempt {attempt} of {}: {what}; again in {} s",
            PAUSES.len() + 1,
            wait.as_secs()
        ));
        pause(wait);
    }
    unreachable!("the pauses end before the numbers")
}

/// Whether trying again may help: the network failed, the server failed or was busy. Any other
/// answer stays the same for the same request.
fn may_pass(error: &UploadError) -> bool {
    match error {
        UploadError::Unreachable { .. } => true,
        UploadError::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
        _ => false,
    }
}

/// What the error document of an object store says: all of them answer
/// `<Error><Code>AccessDenied</Code><Message>Request has expired</Message>…`.
fn detail(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = rest.split_once(&format!("</{name}>"))?;
        let printable = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
        let words: String = inner.chars().map(printable).take(DETAIL_CHARS).collect();
        Some(words.trim().to_owned()).filter(|words| !words.is_empty())
    };
    let hint = match answer.status {
        300..=399 => Some("a redirect: the URL names another region or server".to_owned()),
        407 => Some("the proxy asks for a logon".to_owned()),
        _ => None,
    };
    [
        Some(String::new()),
        element("Code"),
        element("Message"),
        hint,
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(": ")
}

/// The file as a request's body: counts, reports progress, and keeps an error of reading apart from
/// those of the network.
struct Body<'a, F> {
    file: &'a mut F,
    left: u64,
    bytes: u64,
    fault: Option<io::Error>,
    reported: Instant,
    report: &'a mut dyn FnMut(&str),
}

impl<F: Read> Body<'_, F> {
    fn part(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.by_ref().take(self.left).read(buffer)?;
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter",
            ));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

impl<F: Read> Read for Body<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.part(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let told = io::Error::from(error.kind());
                self.fault = Some(error);
                return Err(told);
            }
            other => other?,
        };
        if self.reported.elapsed() >= PROGRESS {
            self.reported = Instant::now();
            let sent = self.bytes - self.left;
            (self.report)(&format!("upload: {sent} of {} bytes", self.bytes));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::io::{self, Cursor, Read, Seek, SeekFrom};
    use std::time::Duration;

    use super::super::{Answer, Put, Target, UploadError};

    /// A server that answers from a list, and what it was sent.
    struct Server {
        answers: RefCell<Vec<Result<Answer, String>>>,
        bodies: RefCell<Vec<Vec<u8>>>,
    }

    impl Put for Server {
        fn put(&self, _: &Target, body: &mut dyn Read, bytes: u64) -> Result<Answer, String> {
            let mut sent = Vec::new();
            body.read_to_end(&mut sent).map_err(|e| e.to_string())?;
            assert_eq!(sent.len() as u64, bytes);
            self.bodies.borrow_mut().push(sent);
            self.answers.borrow_mut().remove(0)
        }
    }

    fn said(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: body.into(),
        }
    }

    /// Sends `bundle` to a server that gives these answers: the end, the seconds waited, the
    /// requests that came, the lines reported.
    fn send(
        answers: Vec<Result<Answer, String>>,
    ) -> (Result<(), UploadError>, Vec<u64>, usize, Vec<String>) {
        let server = Server {
            answers: RefCell::new(answers),
            bodies: RefCell::default(),
        };
        let Ok(target) = Target::parse("https://files.example.com/a?sig=secret") else {
            panic!("a valid URL");
        };
        let (mut lines, mut waited) = (Vec::new(), Vec::new());
        let end = super::run(
            &server,
            &target,
            &mut Cursor::new(b"bundle"),
            6,
            &mut |line| lines.push(line.to_owned()),
            |time: Duration| waited.push(time.as_secs()),
        );
        let bodies = server.bodies.into_inner();
        assert!(bodies.iter().all(|body| body == b"bundle"), "{bodies:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.is_ascii() && !line.contains("secret"))
        );
        (end, waited, bodies.len(), lines)
    }

    #[test]
    fn success_at_once() {
        let (end, waited, requests, lines) = send(vec![Ok(said(201, ""))]);
        assert!(end.is_ok() && waited.is_empty() && requests == 1);
        assert_eq!(lines, ["upload: sent 6 bytes"]);
    }

    #[test]
    fn what_may_pass_is_tried_again_with_growing_pauses() {
        let (end, waited, requests, lines) = send(vec![
            Err("connection refused".into()),
            Ok(said(500, "")),
            Ok(said(429, "")),
            Ok(said(408, "")),
            Ok(said(200, "")),
        ]);
        assert!(end.is_ok());
        assert_eq!((waited, requests), (vec![2, 4, 8, 16], 5));
        assert_eq!(
            lines[0],
            "upload: attempt 1 of 5: connection refused; again in 2 s"
        );
    }

    #[test]
    fn attempts_are_bounded() {
        let (end, _, requests, _) = send((0..9).map(|_| Ok(said(503, ""))).collect());
        assert!(matches!(end, Err(UploadError::Refused { status: 503, .. })));
        assert_eq!(requests, 5);

        let (end, _, requests, _) = send((0..9).map(|_| Err("timed out".into())).collect());
        assert_eq!(
            end.unwrap_err().to_string(),
            "no answer after 5 attempts; the last: timed out"
        );
        assert_eq!(requests, 5);
    }

    #[test]
    fn a_refusal_is_final_and_says_why() {
        for status in [301, 400, 401, 403, 404, 407, 411, 413] {
            let (end, waited, requests, _) = send(vec![Ok(said(status, ""))]);
            assert!(matches!(end, Err(UploadError::Refused { status: s, .. }) if s == status));
            assert!(waited.is_empty() && requests == 1, "{status}");
        }
        let xml = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>\
                   <Message>Request has\u{a0}expired\u{1b}[31m</Message></Error>";
        let (end, ..) = send(vec![Ok(said(403, xml))]);
        assert_eq!(
            end.unwrap_err().to_string(),
            "the server answered 403: AccessDenied: Request has expired [31m"
        );
    }

    /// A file that ends early, or cannot be read at all.
    struct Broken {
        fails: bool,
        rewound: Cell<bool>,
    }

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            assert!(self.rewound.get());
            if self.fails {
                return Err(io::Error::other("bad sector"));
            }
            Ok(0)
        }
    }

    impl Seek for Broken {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            self.rewound.set(true);
            Ok(0)
        }
    }

    #[test]
    fn a_bundle_that_cannot_be_read_is_not_sent_again() {
        for (fails, why) in [(true, "bad sector"), (false, "became shorter")] {
            let server = Server {
                answers: RefCell::default(),
                bodies: RefCell::default(),
            };
            let Ok(target) = Target::parse("https://files.example.com/a") else {
                panic!("a valid URL");
            };
            let mut file = Broken {
                fails,
                rewound: Cell::new(false),
            };
            let end = super::run(&server, &target, &mut file, 6, &mut |_| (), |_| {
                panic!("no second attempt")
            });
            assert!(matches!(&end, Err(UploadError::Read(e)) if e.to_string().contains(why)));
        }
    }
}
