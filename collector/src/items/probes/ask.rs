//! Puts one question: to a name server, to a port, to a neighbour.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use snapdiag_bundle::OsError;
use snapdiag_bundle::records::ProbeOutcome;

use super::dns::{Question, Reading};
use crate::system::files::io_error;
use crate::system::network::mac_text;
use crate::system::os_error;
use crate::system::probes::Probing;

/// `ERROR_INVALID_NAME`.
const INVALID_NAME: u32 = 123;
/// `ERROR_NOT_SUPPORTED`.
const NOT_SUPPORTED: u32 = 50;
/// `ERROR_BAD_NET_NAME`, and `ERROR_GEN_FAILURE` of older systems: nobody answered.
const NO_NEIGHBOUR: [u32; 2] = [67, 31];
/// `IP_REQ_TIMED_OUT`.
const ECHO_TIMED_OUT: u32 = 11010;
/// `IP_DEST_NET_UNREACHABLE` to `IP_DEST_PORT_UNREACHABLE`.
const ECHO_UNREACHABLE: std::ops::RangeInclusive<u32> = 11002..=11005;
/// Most bytes of an answer over UDP that does not ask for more; some servers send more.
const DATAGRAM: usize = 4096;
/// `WSAEMSGSIZE`: a packet is longer than the room for it.
const TOO_LONG: i32 = 10040;

/// An answer of a name server, and whether it said that more would come over TCP.
pub(super) struct Resolved {
    pub(super) outcome: ProbeOutcome,
    pub(super) truncated: bool,
}

impl From<ProbeOutcome> for Resolved {
    fn from(outcome: ProbeOutcome) -> Self {
        Self {
            outcome,
            truncated: false,
        }
    }
}

/// Asks a name server over UDP: once, and again after half of the time, since packets get lost.
pub(super) fn udp(server: SocketAddr, name: &str, record_type: u16, time: Duration) -> Resolved {
    let question = Question {
        id: random_id(),
        name,
        record_type,
    };
    let Some(packet) = question.packet() else {
        return invalid_name().into();
    };
    let asked = datagrams(server, &packet, time, |answer| question.read(answer));
    asked.unwrap_or_else(|error| outcome_of("recv", &error).into())
}

fn datagrams(
    server: SocketAddr,
    packet: &[u8],
    time: Duration,
    read: impl Fn(&[u8]) -> Reading,
) -> io::Result<Resolved> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // A connected socket takes packets from that address and port alone.
    socket.connect(server)?;
    let begin = Instant::now();
    let mut foreign = false;
    let mut buffer = vec![0; DATAGRAM];
    for until in [begin + time / 2, begin + time] {
        socket.send(packet)?;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left))?;
            let length = match socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if is_time_out(&error) => break,
                Err(error) if error.raw_os_error() == Some(TOO_LONG) => {
                    foreign = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match read(buffer.get(..length).unwrap_or_default()) {
                Reading::Answer { outcome, truncated } => {
                    return Ok(Resolved { outcome, truncated });
                }
                Reading::Foreign => foreign = true,
            }
        }
    }
    let outcome = if foreign {
        ProbeOutcome::Malformed
    } else {
        ProbeOutcome::Timeout
    };
    Ok(outcome.into())
}

/// Asks a name server over TCP.
pub(super) fn tcp(
    server: SocketAddr,
    name: &str,
    record_type: u16,
    time: Duration,
) -> ProbeOutcome {
    let question = Question {
        id: random_id(),
        name,
        record_type,
    };
    let Some(packet) = question.packet() else {
        return invalid_name();
    };
    match stream(server, &packet, time) {
        Ok(answer) => match question.read(&answer) {
            Reading::Answer { outcome, .. } => outcome,
            Reading::Foreign => ProbeOutcome::Malformed,
        },
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => ProbeOutcome::Malformed,
        Err(error) => outcome_of("connect", &error),
    }
}

/// A message over TCP has its length before it.
fn stream(server: SocketAddr, packet: &[u8], time: Duration) -> io::Result<Vec<u8>> {
    let until = Instant::now() + time;
    let mut stream = TcpStream::connect_timeout(&server, time)?;
    let mut request = u16::try_from(packet.len())
        .map_err(io::Error::other)?
        .to_be_bytes()
        .to_vec();
    request.extend(packet);
    stream.set_write_timeout(Some(time))?;
    stream.write_all(&request)?;
    let mut length = [0; 2];
    read_until(&mut stream, &mut length, until)?;
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    read_until(&mut stream, &mut answer, until)?;
    Ok(answer)
}

/// Fills the buffer, however slowly the other end sends, but not past that moment.
fn read_until(stream: &mut TcpStream, mut buffer: &mut [u8], until: Instant) -> io::Result<()> {
    while !buffer.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => buffer = buffer.get_mut(read..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Connects, and closes at once.
pub(super) fn connect(target: SocketAddr, time: Duration) -> ProbeOutcome {
    match TcpStream::connect_timeout(&target, time) {
        Ok(_) => ProbeOutcome::Answered { values: Vec::new() },
        Err(error) => outcome_of("connect", &error),
    }
}

/// Asks the link for a neighbour.
pub(super) fn neighbour(
    probing: &dyn Probing,
    target: IpAddr,
    interface_index: Option<u32>,
) -> ProbeOutcome {
    match probing.resolve(target, interface_index) {
        Ok(mac) => ProbeOutcome::Answered {
            values: mac_text(&mac).into_iter().collect(),
        },
        Err(error) if NO_NEIGHBOUR.contains(&error.code) => ProbeOutcome::Timeout,
        Err(error) => failed(error),
    }
}

/// Sends an echo.
pub(super) fn echo(probing: &dyn Probing, target: Ipv4Addr, time: Duration) -> ProbeOutcome {
    let (status, call) = match probing.echo(target, time) {
        Ok(0) => return ProbeOutcome::Answered { values: Vec::new() },
        Ok(status) => (status, "IcmpSendEcho2".to_owned()),
        Err(error) => (error.code, error.call),
    };
    match status {
        ECHO_TIMED_OUT => ProbeOutcome::Timeout,
        code if ECHO_UNREACHABLE.contains(&code) => ProbeOutcome::Unreachable { code: Some(code) },
        code => ProbeOutcome::Failed { code, call },
    }
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

/// What an error of a socket means.
fn outcome_of(call: &str, error: &io::Error) -> ProbeOutcome {
    use io::ErrorKind::{
        ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable,
    };
    let code = error
        .raw_os_error()
        .and_then(|code| u32::try_from(code).ok());
    match error.kind() {
        _ if is_time_out(error) => ProbeOutcome::Timeout,
        // Windows reports a closed UDP port as a reset connection.
        ConnectionRefused | ConnectionReset => ProbeOutcome::Refused { code },
        HostUnreachable | NetworkUnreachable | NetworkDown => ProbeOutcome::Unreachable { code },
        _ => failed(io_error(call, error)),
    }
}

fn failed(OsError { code, call }: OsError) -> ProbeOutcome {
    ProbeOutcome::Failed { code, call }
}

/// A question that nobody can be asked, such as an echo to an IPv6 address.
pub(super) fn not_supported() -> ProbeOutcome {
    failed(os_error("question", NOT_SUPPORTED))
}

fn invalid_name() -> ProbeOutcome {
    failed(os_error("question", INVALID_NAME))
}

/// A number that a stranger does not guess at once.
fn random_id() -> u16 {
    // The keys of a hasher are random.
    let hash = RandomState::new().build_hasher().finish();
    let [first, second, ..] = hash.to_le_bytes();
    u16::from_le_bytes([first, second])
}
