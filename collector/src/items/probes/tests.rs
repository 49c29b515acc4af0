use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::thread::{self, JoinHandle};

use snapdiag_bundle::State;
use snapdiag_bundle::records::{Adapter, AdapterAddress, DnsServer, GatewayAddress};

use super::dns::A;
use super::*;
use crate::items::clouds::CLOUDS;
use crate::items::testing::run;
use crate::system::network::Network;
use crate::system::probes::Probing;
use crate::system::registry::{Key, Registry, Root, Value};
use crate::system::{SysResult, os_error};

const NAME: &str = "host.example.com";
const TIME: Duration = Duration::from_millis(600);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn adapter() -> Adapter {
    Adapter {
        guid: String::new(),
        index: 6,
        ipv6_index: Some(7),
        luid: None,
        name: "Ethernet".to_owned(),
        description: String::new(),
        component_id: None,
        driver: None,
        instance_id: None,
        if_type: 6,
        oper_status: 1,
        admin_status: None,
        media_state: None,
        hardware: None,
        connector_present: None,
        mac: None,
        permanent_mac: None,
        mtu_bytes: None,
        receive_bits_per_second: None,
        addresses: vec![AdapterAddress {
            address: Ipv4Addr::new(127, 0, 0, 2).into(),
            prefix_length: 24,
            prefix_origin: None,
            suffix_origin: None,
            dad_state: None,
            lease_s: None,
        }],
        gateways: vec![
            GatewayAddress {
                address: GATEWAY.into(),
            },
            GatewayAddress {
                address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into(),
            },
        ],
        dns_servers: Vec::new(),
        dns_suffix: None,
        dhcp_enabled: None,
        dhcp_server: None,
        ipv4_metric: None,
        team: None,
        team_member: None,
        virtual_switch: None,
        load_balanced: None,
    }
}

fn known(servers: &[IpAddr]) -> Known {
    let dns_servers = servers.iter().map(|&address| DnsServer { address });
    Known {
        adapters: vec![Adapter {
            dns_servers: dns_servers.collect(),
            ..adapter()
        }],
        domain: Some("corp.example.com".to_owned()),
        cloud: CLOUDS.iter().find(|cloud| cloud.id == "tencent"),
        rdp_port: 3390,
    }
}

/// A server of one question: the packets that it answers with, made from the packet that came.
fn udp_server(
    answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let server = thread::spawn(move || {
        let mut buffer = [0; 512];
        let (length, client) = socket.recv_from(&mut buffer).unwrap();
        for packet in answer(&buffer[..length]) {
            socket.send_to(&packet, client).unwrap();
        }
        // Stays open until the question has timed out.
        thread::sleep(TIME * 2);
    });
    (address, server)
}

/// The question turned into an answer with these flags and one record of an address.
fn with(question: &[u8], flags: [u8; 2], address: Option<[u8; 4]>) -> Vec<u8> {
    let mut packet = question.to_vec();
    packet[2..4].copy_from_slice(&flags);
    packet[7] = address.is_some().into();
    if let Some(address) = address {
        packet.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        packet.extend(address);
    }
    packet
}

fn asked(answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> ProbeOutcome {
    let (address, _server) = udp_server(answer);
    ask::udp(address, NAME, A, TIME).outcome
}

fn answered(values: &[&str]) -> ProbeOutcome {
    ProbeOutcome::Answered {
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

#[test]
fn a_name_server_is_heard() {
    let right = |question: &[u8]| with(question, [0x81, 0x80], Some([192, 0, 2, 80]));
    assert_eq!(asked(move |q| vec![right(q)]), answered(&["192.0.2.80"]));
    assert_eq!(
        asked(|q| vec![with(q, [0x81, 0x83], None)]),
        ProbeOutcome::Nxdomain
    );
    assert_eq!(
        asked(|q| vec![with(q, [0x81, 0x82], None)]),
        ProbeOutcome::Servfail
    );
    // A packet with another id is left alone, and the right one behind it is taken.
    let after_a_wrong_one = move |q: &[u8]| {
        let mut wrong = right(q);
        wrong[0] ^= 0xff;
        vec![wrong, b"garbage".to_vec(), right(q)]
    };
    assert_eq!(asked(after_a_wrong_one), answered(&["192.0.2.80"]));
}

#[test]
fn silence_garbage_and_a_closed_port_are_three_things() {
    assert_eq!(asked(|_| Vec::new()), ProbeOutcome::Timeout);
    assert_eq!(
        asked(|_| vec![b"garbage".to_vec()]),
        ProbeOutcome::Malformed
    );
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let outcome = ask::udp(address, NAME, A, TIME).outcome;
    assert!(
        matches!(outcome, ProbeOutcome::Refused { code: Some(_) }),
        "{outcome:?}"
    );
    let outcome = ask::udp(address, "no..name", A, TIME).outcome;
    assert!(
        matches!(outcome, ProbeOutcome::Failed { .. }),
        "{outcome:?}"
    );
}

#[test]
fn a_stranger_is_not_heard() {
    // The question goes to one server, the answer comes from another address.
    let (address, _server) = udp_server(|_| Vec::new());
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(address).unwrap();
    stranger
        .send_to(b"x", client.local_addr().unwrap())
        .unwrap();
    client.set_read_timeout(Some(TIME)).unwrap();
    assert!(client.recv(&mut [0; 8]).is_err());
}

#[test]
fn a_cut_answer_is_asked_for_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let udp = UdpSocket::bind(address).unwrap();
    let over_udp = thread::spawn(move || {
        let mut buffer = [0; 512];
        let (length, client) = udp.recv_from(&mut buffer).unwrap();
        let cut = with(&buffer[..length], [0x83, 0x80], None);
        udp.send_to(&cut, client).unwrap();
    });
    let over_tcp = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question).unwrap();
        let answer = with(&question, [0x81, 0x80], Some([192, 0, 2, 80]));
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        // In two pieces, as networks do.
        stream.write_all(&length).unwrap();
        stream.write_all(&answer[..7]).unwrap();
        thread::sleep(Duration::from_millis(50));
        stream.write_all(&answer[7..]).unwrap();
    });
    let planned = Planned {
        probe: ProbeKind::Dns {
            server: address.ip(),
            transport: Transport::Udp,
            name: NAME.to_owned(),
            record_type: A,
        },
        to: Some(address),
    };
    let probes = ask_one(&crate::system::Unanswered, &planned);
    over_udp.join().unwrap();
    over_tcp.join().unwrap();
    let [first, second] = &probes[..] else {
        panic!("{probes:?}");
    };
    assert_eq!(first.outcome, answered(&[]));
    assert_eq!(second.outcome, answered(&["192.0.2.80"]));
    assert!(matches!(
        second.probe,
        ProbeKind::Dns {
            transport: Transport::Tcp,
            ..
        }
    ));
}

#[test]
fn a_server_that_hangs_up_over_tcp_is_malformed_and_a_slow_one_times_out() {
    let serve = |bytes: &'static [u8], stay: Duration| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 512]);
            stream.write_all(bytes).unwrap();
            thread::sleep(stay);
        });
        let outcome = ask::tcp(address, NAME, A, TIME);
        server.join().unwrap();
        outcome
    };
    assert_eq!(
        serve(b"\x00\x40abc", Duration::ZERO),
        ProbeOutcome::Malformed
    );
    assert_eq!(
        serve(b"\x00\x03abc", Duration::ZERO),
        ProbeOutcome::Malformed
    );
    assert_eq!(serve(b"\x00\x40abc", TIME * 2), ProbeOutcome::Timeout);
}

#[test]
fn a_connection_is_answered_or_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(ask::connect(address, TIME), answered(&[]));
    drop(listener);
    let outcome = ask::connect(address, CONNECT_TIME);
    assert!(
        matches!(outcome, ProbeOutcome::Refused { code: Some(_) }),
        "{outcome:?}"
    );
}

#[test]
fn the_plan_names_every_target() {
    let servers = [
        Ipv4Addr::new(192, 0, 2, 53).into(),
        "fec0:0:0:ffff::1".parse().unwrap(),
        "fe80::53".parse().unwrap(),
        Ipv4Addr::new(192, 0, 2, 53).into(),
    ];
    let plan = plan::plan(&known(&servers));
    let neighbours = plan.iter().filter_map(|planned| match planned.probe {
        ProbeKind::Neighbour {
            target,
            interface_index,
        } => Some((target.is_ipv4(), interface_index)),
        _ => None,
    });
    let neighbours: Vec<_> = neighbours.collect();
    assert_eq!(neighbours, [(true, Some(6)), (false, Some(7))]);
    let questions = plan.iter().filter_map(|planned| match &planned.probe {
        ProbeKind::Dns {
            transport,
            name,
            record_type,
            ..
        } => Some((
            planned.to.unwrap().to_string(),
            *transport,
            name.as_str(),
            *record_type,
        )),
        _ => None,
    });
    let questions: Vec<_> = questions.collect();
    assert_eq!(questions.len(), 12);
    let first = "192.0.2.53:53".to_owned();
    let udp = |name, kind| (first.clone(), Transport::Udp, name, kind);
    assert_eq!(
        questions[..6],
        [
            udp("dns.msftncsi.com", 1),
            udp("metadata.tencentyun.com", 1),
            udp("kms.tencentyun.com", 1),
            udp("ntpupdate.tencentyun.com", 1),
            udp("_ldap._tcp.dc._msdcs.corp.example.com", 33),
            (first.clone(), Transport::Tcp, "dns.msftncsi.com", 1),
        ]
    );
    assert_eq!(questions[6].0, "[fe80::53%7]:53");
    let connections = plan.iter().filter_map(|planned| match &planned.probe {
        ProbeKind::Connect { purpose, .. } => Some(format!("{purpose} {}", planned.to.unwrap())),
        _ => None,
    });
    let connections: Vec<_> = connections.collect();
    assert_eq!(
        connections,
        [
            "rdp-loopback 127.0.0.1:3390",
            "rdp-own-address 127.0.0.2:3390",
            "metadata 169.254.0.23:80",
        ]
    );
}

#[test]
fn what_is_down_or_unknown_is_not_asked() {
    let mut known = known(&[Ipv4Addr::new(192, 0, 2, 53).into()]);
    known.adapters[0].oper_status = 2;
    (known.domain, known.cloud) = (None, None);
    let plan = plan::plan(&known);
    assert_eq!(plan.len(), 1);
    assert_eq!(plan[0].to, Some("127.0.0.1:3390".parse().unwrap()));
}

/// A machine whose Remote Desktop port is the one of a listener, and whose gateway answers address
/// resolution, not pings.
struct Machine {
    port: u16,
    neighbour: SysResult<Vec<u8>>,
    echo: SysResult<u32>,
}

impl System for Machine {
    fn network(&self) -> &dyn Network {
        self
    }
    fn probing(&self) -> &dyn Probing {
        self
    }
    fn registry(&self) -> &dyn Registry {
        self
    }
}

impl Network for Machine {
    fn adapters(&self) -> SysResult<Vec<Adapter>> {
        Ok(vec![adapter()])
    }
}

impl Probing for Machine {
    fn resolve(&self, target: IpAddr, interface_index: Option<u32>) -> SysResult<Vec<u8>> {
        if target.is_ipv6() {
            // A call that does not come back in time.
            thread::sleep(Duration::from_secs(60));
        }
        assert_eq!(interface_index, Some(6));
        self.neighbour.clone()
    }
    fn echo(&self, _: Ipv4Addr, _: Duration) -> SysResult<u32> {
        self.echo.clone()
    }
}

impl Registry for Machine {
    fn key(&self, _: Root, path: &str) -> SysResult<Key> {
        if !path.ends_with("WinStations\\RDP-Tcp") {
            return Err(os_error("RegOpenKeyExW", 2));
        }
        Ok(Key {
            last_write: 0,
            values: vec![Value {
                name: "PortNumber".to_owned(),
                value_type: 4,
                data: u32::from(self.port).to_le_bytes().to_vec(),
            }],
        })
    }
}

#[test]
fn the_probes_of_a_machine_are_recorded_even_where_one_hangs() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let machine = Machine {
        port: listener.local_addr().unwrap().port(),
        neighbour: Ok(vec![0xfe, 0xee, 0x0a, 0x5c, 0x31, 0x77]),
        echo: Err(os_error("IcmpSendEcho2", 11010)),
    };
    let ran = run(machine, collect);
    assert_eq!(ran.outcome, Outcome::ok("sockets"));
    let record: Probes = ran.record("network/probes.json");
    let outcomes: Vec<_> = record.probes.iter().map(|probe| &probe.outcome).collect();
    assert_eq!(outcomes.len(), 5);
    assert_eq!(*outcomes[0], answered(&["feee0a5c3177"]));
    assert_eq!(*outcomes[1], ProbeOutcome::Timeout);
    // The neighbour of IPv6 hangs: it costs itself.
    assert_eq!(*outcomes[2], ProbeOutcome::Timeout);
    assert_eq!(*outcomes[3], answered(&[]));
    assert!(matches!(outcomes[4], ProbeOutcome::Refused { .. }));
}

#[test]
fn errors_of_neighbours_and_echoes_are_told_apart() {
    let machine = |neighbour: u32, echo: SysResult<u32>| Machine {
        port: 0,
        neighbour: Err(os_error("SendARP", neighbour)),
        echo,
    };
    let silent = machine(67, Ok(11003));
    let target = GATEWAY.into();
    assert_eq!(
        ask::neighbour(&silent, target, Some(6)),
        ProbeOutcome::Timeout
    );
    assert_eq!(
        ask::echo(&silent, GATEWAY, TIME),
        ProbeOutcome::Unreachable { code: Some(11003) }
    );
    let broken = machine(1168, Err(os_error("IcmpCreateFile", 5)));
    assert_eq!(
        ask::neighbour(&broken, target, Some(6)),
        ProbeOutcome::Failed {
            code: 1168,
            call: "SendARP".to_owned()
        }
    );
    assert_eq!(
        ask::echo(&broken, GATEWAY, TIME),
        ProbeOutcome::Failed {
            code: 5,
            call: "IcmpCreateFile".to_owned()
        }
    );
}

#[test]
fn without_adapters_the_own_port_is_still_asked() {
    let ran = run(crate::system::Unanswered, collect);
    assert_eq!(ran.outcome.state, State::Truncated);
    let record: Probes = ran.record("network/probes.json");
    assert_eq!(record.probes.len(), 1);
}

#[test]
fn the_activation_service_is_asked_at_the_address_that_a_server_gave() {
    let cloud = CLOUDS.iter().find(|cloud| cloud.id == "azure").unwrap();
    let probe = |name: &str, outcome| Probe {
        probe: ProbeKind::Dns {
            server: GATEWAY.into(),
            transport: Transport::Udp,
            name: name.to_owned(),
            record_type: A,
        },
        started_at: Timestamp::UNIX_EPOCH,
        latency_ms: 1,
        outcome,
    };
    let other = probe("dns.msftncsi.com", answered(&["192.0.2.1"]));
    let failed = probe("azkms.core.windows.net", ProbeOutcome::Servfail);
    assert_eq!(kms_address(cloud, &[other.clone(), failed.clone()]), None);
    let right = probe("azkms.core.windows.net", answered(&["192.0.2.7"]));
    let address = kms_address(cloud, &[other, failed, right]);
    assert_eq!(address, Some(Ipv4Addr::new(192, 0, 2, 7).into()));
    let planned = plan::kms(address.unwrap());
    assert_eq!(planned.to, Some("192.0.2.7:1688".parse().unwrap()));
}
