//! TCP states, and how the words of several languages and the shape of a row tell them.

use super::{Endpoint, Protocol, Row};

/// A TCP state with the number that Windows gives it (`MIB_TCP_STATE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TcpState {
    /// 1
    Closed,
    /// 2
    Listen,
    /// 3
    SynSent,
    /// 4
    SynReceived,
    /// 5
    Established,
    /// 6
    FinWait1,
    /// 7
    FinWait2,
    /// 8
    CloseWait,
    /// 9
    Closing,
    /// 10
    LastAck,
    /// 11
    TimeWait,
    /// 12
    DeleteTcb,
    /// 100: a port that is bound and neither listens nor is connected, shown with `-q`. The
    /// number is that of `MSFT_NetTCPConnection`; `MIB_TCP_STATE` has none.
    Bound,
}

/// A state and by what it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The state.
    pub state: TcpState,
    /// Known by the shape of the row, not by its word.
    pub inferred: bool,
}

use TcpState::{
    Bound, CloseWait, Closed, Closing, DeleteTcb, Established, FinWait1, FinWait2, LastAck, Listen,
    SynReceived, SynSent, TimeWait,
};

/// State words. English is what Windows prints in most languages, French, Russian and Chinese
/// among them. The others were seen in published output or in the parsers of public projects
/// that read it.
const WORDS: &[(&str, TcpState)] = &[
    ("LISTENING", Listen),
    ("LISTEN", Listen),
    ("ESTABLISHED", Established),
    ("TIME_WAIT", TimeWait),
    ("CLOSE_WAIT", CloseWait),
    ("SYN_SENT", SynSent),
    ("SYN_RECEIVED", SynReceived),
    ("SYN_RCVD", SynReceived),
    ("FIN_WAIT_1", FinWait1),
    ("FIN_WAIT1", FinWait1),
    ("FIN_WAIT_2", FinWait2),
    ("FIN_WAIT2", FinWait2),
    ("LAST_ACK", LastAck),
    ("CLOSING", Closing),
    ("CLOSED", Closed),
    ("DELETE_TCB", DeleteTcb),
    ("BOUND", Bound),
    // German.
    ("ABHÖREN", Listen),
    ("HERGESTELLT", Established),
    ("WARTEND", TimeWait),
    ("SCHLIESSEN_WARTEN", CloseWait),
    ("SYN_GESENDET", SynSent),
    ("SYN_EMPFANGEN", SynReceived),
    ("FIN_WARTEN_2", FinWait2),
    // Spanish.
    ("ESCUCHANDO", Listen),
    ("ESTABLECIDO", Established),
];

/// Fewest ASCII letters that a word needs to be recognised without its other letters.
const ENOUGH_ASCII: usize = 4;

/// The state that a word names, upper or lower case, with letters outside ASCII possibly decoded
/// in the wrong code page (`ABH?REN`, `ABH™REN`).
fn by_word(word: &str) -> Option<TcpState> {
    let word = word.to_uppercase();
    WORDS
        .iter()
        .find(|(known, _)| *known == word)
        .or_else(|| {
            let skeleton = skeleton(&word)?;
            WORDS
                .iter()
                .find(|(known, _)| self::skeleton(known).as_ref() == Some(&skeleton))
        })
        .map(|(_, state)| *state)
}

/// The word with each run of letters that may be damaged as one `?`; `None` when there is none
/// or too little is left.
fn skeleton(word: &str) -> Option<String> {
    let mut skeleton = String::with_capacity(word.len());
    for c in word.chars() {
        let c = if c.is_ascii() { c } else { '?' };
        if c != '?' || !skeleton.ends_with('?') {
            skeleton.push(c);
        }
    }
    let letters = skeleton.chars().filter(char::is_ascii_alphabetic).count();
    (skeleton.contains('?') && letters >= ENOUGH_ASCII).then_some(skeleton)
}

/// Settles the state of every TCP row, first by word, then by shape.
///
/// With `-q`, bound ports have the remote end of a listener, too. A language has one word for a
/// listener, so where that word is known, another one at such an end stays unknown.
pub(super) fn settle(rows: &mut [Row]) {
    let mut listen_word_known = false;
    for row in rows.iter_mut().filter(|row| row.protocol == Protocol::Tcp) {
        let nowhere = row.remote.as_ref().is_none_or(Endpoint::is_nowhere);
        let state = row.word.as_deref().and_then(by_word);
        // A word that contradicts the shape is not believed.
        let fits = |state: &TcpState| match state {
            Listen => nowhere,
            Bound | Closed => true,
            _ => !nowhere,
        };
        row.state = state.filter(fits).map(|state| Reading {
            state,
            inferred: false,
        });
        listen_word_known |= row.state.is_some_and(|reading| reading.state == Listen);
    }
    for row in rows.iter_mut().filter(|row| row.protocol == Protocol::Tcp) {
        let nowhere = row.remote.as_ref().is_some_and(Endpoint::is_nowhere);
        let state = match (row.state, row.pid) {
            (Some(_), _) => continue,
            (None, _) if nowhere && !listen_word_known => Some(Listen),
            (None, Some(0)) if !nowhere && row.word.is_some() => Some(TimeWait),
            _ => None,
        };
        row.state = state.map(|state| Reading {
            state,
            inferred: true,
        });
    }
}

impl TcpState {
    /// The number that Windows gives it: `MIB_TCP_STATE`, or 100 for [`TcpState::Bound`].
    pub fn number(self) -> u32 {
        match self {
            Closed => 1,
            Listen => 2,
            SynSent => 3,
            SynReceived => 4,
            Established => 5,
            FinWait1 => 6,
            FinWait2 => 7,
            CloseWait => 8,
            Closing => 9,
            LastAck => 10,
            TimeWait => 11,
            DeleteTcb => 12,
            Bound => 100,
        }
    }
}
