use super::*;

const QUESTION: Question<'_> = Question {
    id: 0x1234,
    name: "host.example.com",
    record_type: A,
};
/// Where the question's name stands in a message.
const NAME_AT: [u8; 2] = [0xc0, 12];

/// An answer with these flags and number of records, which follow the question.
fn answer(question: &Question<'_>, flags: u16, count: u16, records: &[u8]) -> Vec<u8> {
    let mut packet = question.packet().unwrap();
    packet[2..4].copy_from_slice(&(RESPONSE | flags).to_be_bytes());
    packet[6..8].copy_from_slice(&count.to_be_bytes());
    packet.extend(records);
    packet
}

fn record(name: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut record = name.to_vec();
    record.extend(kind.to_be_bytes());
    record.extend([0, 1, 0, 0, 0, 60]);
    record.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    record.extend(data);
    record
}

fn read(question: &Question<'_>, packet: &[u8]) -> ProbeOutcome {
    match question.read(packet) {
        Reading::Answer { outcome, .. } => outcome,
        Reading::Foreign => panic!("foreign"),
    }
}

fn answered(values: &[&str]) -> ProbeOutcome {
    ProbeOutcome::Answered {
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

#[test]
fn a_question_is_what_the_standard_says() {
    let packet = Question {
        id: 0x0102,
        name: "a.bc.",
        record_type: SRV,
    }
    .packet();
    let expected =
        b"\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02bc\x00\x00\x21\x00\x01";
    assert_eq!(packet.as_deref(), Some(expected.as_slice()));
}

#[test]
fn what_is_no_name_is_not_asked() {
    let long = "a".repeat(64);
    let many = "abcdefg.".repeat(32);
    for name in ["", ".", "a..b", long.as_str(), many.as_str()] {
        let question = Question { name, ..QUESTION };
        assert_eq!(question.packet(), None, "{name}");
    }
}

#[test]
fn addresses_behind_aliases_are_found() {
    let mut records = record(&NAME_AT, 5, b"\x03web\xc0\x11");
    records.extend(record(b"\x03web\xc0\x11", A, &[192, 0, 2, 80]));
    records.extend(record(b"\x03web\xc0\x11", A, &[192, 0, 2, 81]));
    let packet = answer(&QUESTION, 0, 3, &records);
    assert_eq!(
        read(&QUESTION, &packet),
        answered(&["192.0.2.80", "192.0.2.81"])
    );
    let six = Question {
        record_type: AAAA,
        ..QUESTION
    };
    let mut address = [0; 16];
    address[..4].copy_from_slice(&[0x20, 1, 0xd, 0xb8]);
    address[15] = 7;
    let packet = answer(&six, 0, 1, &record(&NAME_AT, AAAA, &address));
    assert_eq!(read(&six, &packet), answered(&["2001:db8::7"]));
}

#[test]
fn services_are_written_with_priority_weight_port_and_target() {
    let question = Question {
        name: "_ldap._tcp.dc._msdcs.example.com",
        record_type: SRV,
        ..QUESTION
    };
    let data = b"\x00\x00\x00\x64\x01\x85\x03dc1\x07example\x03com\x00";
    let packet = answer(&question, 0, 1, &record(&NAME_AT, SRV, data));
    assert_eq!(
        read(&question, &packet),
        answered(&["0 100 389 dc1.example.com"])
    );
}

#[test]
fn answers_without_records_are_told_apart() {
    let by_code = |rcode| read(&QUESTION, &answer(&QUESTION, rcode, 0, &[]));
    assert_eq!(by_code(0), ProbeOutcome::NoData);
    assert_eq!(by_code(2), ProbeOutcome::Servfail);
    assert_eq!(by_code(3), ProbeOutcome::Nxdomain);
    assert_eq!(by_code(5), ProbeOutcome::Refused { code: None });
    assert_eq!(by_code(4), ProbeOutcome::OtherAnswer { rcode: 4 });
    // A server that refuses need not repeat the question.
    let bare = [0x12, 0x34, 0x80, 0x05, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(read(&QUESTION, &bare), ProbeOutcome::Refused { code: None });
}

#[test]
fn a_cut_answer_says_so_and_keeps_what_it_has() {
    let mut records = record(&NAME_AT, A, &[192, 0, 2, 80]);
    records.extend(&NAME_AT);
    let packet = answer(&QUESTION, TRUNCATED, 2, &records);
    let reading = Reading::Answer {
        outcome: answered(&["192.0.2.80"]),
        truncated: true,
    };
    assert_eq!(QUESTION.read(&packet), reading);
}

#[test]
fn answers_to_others_are_foreign() {
    let right = answer(&QUESTION, 0, 1, &record(&NAME_AT, A, &[192, 0, 2, 80]));
    let changed = |at: usize, byte: u8| {
        let mut packet = right.clone();
        packet[at] = byte;
        packet
    };
    for packet in [
        changed(0, 0x99),
        // Not a response; two questions; another name; another type.
        changed(2, 0x01),
        changed(5, 2),
        changed(13, b'x'),
        changed(HEADER + 18 + 1, 28),
        right[..HEADER + 5].to_vec(),
        b"no message at all, but long enough".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(QUESTION.read(&packet), Reading::Foreign, "{packet:02x?}");
    }
    // Names compare without case: some servers change it.
    assert_eq!(
        read(&QUESTION, &changed(13, b'H')),
        answered(&["192.0.2.80"])
    );
}

#[test]
fn hostile_records_are_malformed() {
    let a = [192, 0, 2, 80];
    // The answer's name begins behind the question: header, name, type and class.
    let here = u8::try_from(QUESTION.packet().unwrap().len()).unwrap();
    let mut chain = Vec::new();
    for step in 0..40 {
        chain.extend([0xc0, here + 2 * step]);
    }
    let long: Vec<u8> = std::iter::repeat_n(*b"\x01a", 200)
        .flatten()
        .chain([0])
        .collect();
    for records in [
        // Names that point to themselves, forward, out of the packet; labels of no known kind.
        record(&[0xc0, here], A, &a),
        record(&[0xc0, here + 2], A, &a),
        record(&[0xff, 0xff], A, &a),
        record(&[0x80, 0], A, &a),
        record(&long, A, &a),
        // Data of a wrong length, longer than the packet, and no data.
        record(&NAME_AT, A, &a[..3]),
        [&NAME_AT[..], &[0, 1, 0, 1, 0, 0, 0, 60, 0xff, 0xff], &a].concat(),
        NAME_AT.to_vec(),
    ] {
        let packet = answer(&QUESTION, 0, 1, &records);
        assert_eq!(
            read(&QUESTION, &packet),
            ProbeOutcome::Malformed,
            "{records:02x?}"
        );
    }
    // Two pointers that point at each other: each leads back, and the chain ends.
    let packet = answer(&QUESTION, 0, 1, &[&chain[..], &[0; 10]].concat());
    assert_eq!(read(&QUESTION, &packet), ProbeOutcome::Malformed);
}

#[test]
fn no_packet_of_any_length_breaks_the_reader() {
    let mut records = record(&NAME_AT, 5, b"\x03web\xc0\x11");
    records.extend(record(b"\x03web\xc0\x11", A, &[192, 0, 2, 80]));
    let whole = answer(&QUESTION, 0, 2, &records);
    for length in 0..whole.len() {
        let outcome = QUESTION.read(&whole[..length]);
        let shorter = match &outcome {
            Reading::Foreign => true,
            Reading::Answer { outcome, .. } => *outcome == ProbeOutcome::Malformed,
        };
        assert!(shorter, "{length}: {outcome:?}");
        for byte in [0, 0x3f, 0xc0, 0xff] {
            let mut packet = whole.clone();
            packet[length] = byte;
            let _ = QUESTION.read(&packet);
        }
    }
}

#[test]
fn many_values_are_capped_and_odd_labels_escaped() {
    let records: Vec<u8> = std::iter::repeat_n(record(&NAME_AT, A, &[192, 0, 2, 1]), 100)
        .flatten()
        .collect();
    let packet = answer(&QUESTION, 0, 100, &records);
    let ProbeOutcome::Answered { values } = read(&QUESTION, &packet) else {
        panic!("no answer");
    };
    assert_eq!(values.len(), VALUES);
    let question = Question {
        record_type: SRV,
        ..QUESTION
    };
    let data = b"\x00\x01\x00\x02\x00\x03\x04a.\n\xff\x00";
    let packet = answer(&question, 0, 1, &record(&NAME_AT, SRV, data));
    assert_eq!(
        read(&question, &packet),
        answered(&["1 2 3 a\\046\\010\\255"])
    );
}
