//! `http.pcap`: TCP over IPv4, most of it HTTP to port 80.
//!
//! Four clients talk to a server. Some send IPv4 options, so that the TCP header does not lie where a careless program
//! looks for it; and there is TCP to ports other than 80 and from port 80 to others.

use std::net::{IpAddr, Ipv4Addr};

use oxbpf_capture::Resolution;

use super::{Capture, mac};
use crate::packets::flag::{ACK, FIN, PSH, RST, SYN};
use crate::packets::{Ends, Ipv4, Tcp, ether, ethernet, ip, padded, proto, tcp};

/// The capture.
pub fn capture() -> Capture {
    let mut capture = Capture::new(Resolution::Micro);
    for conversation in CONVERSATIONS {
        Talk::new(&mut capture, conversation).through();
    }
    refused(&mut capture);
    capture
}

/// A TCP conversation: the client opens it and asks, the server answers, the client closes it.
#[derive(Clone, Copy)]
struct Conversation {
    /// The client's number and port.
    client: (u8, u16),
    /// The server's port.
    port: u16,
    /// IPv4 options on every packet of the client.
    options: &'static [u8],
    request: &'static [u8],
    response: &'static [u8],
}

const CONVERSATIONS: [Conversation; 7] = [
    Conversation { client: (2, 40_001), port: 80, options: &[], request: GET_ROOT, response: OK_PAGE },
    Conversation { client: (3, 40_002), port: 80, options: &[], request: GET_LONG, response: NOT_FOUND },
    Conversation { client: (4, 51_234), port: 80, options: &ROUTER_ALERT, request: GET_ROOT, response: OK_PAGE },
    Conversation { client: (5, 65_535), port: 80, options: &RECORD_ROUTE, request: POST_FORM, response: CREATED },
    Conversation { client: (2, 40_003), port: 8_080, options: &[], request: GET_ROOT, response: OK_PAGE },
    Conversation { client: (3, 40_004), port: 443, options: &[], request: TLS_HELLO, response: TLS_ALERT },
    Conversation { client: (4, 80), port: 22, options: &NOPS, request: SSH_CLIENT, response: SSH_SERVER },
];

/// A SYN to port 80 of a server that does not listen, and the answer.
fn refused(capture: &mut Capture) {
    let conversation = Conversation { client: (6, 40_005), port: 80, options: &[], request: &[], response: &[] };
    let mut talk = Talk::new(capture, conversation);
    talk.client(SYN, &[]);
    talk.server(RST | ACK, &[]);
}

/// A conversation under way: how far each side's sequence number has come.
struct Talk<'a> {
    capture: &'a mut Capture,
    conversation: Conversation,
    ends: Ends,
    client_seq: u32,
    server_seq: u32,
    id: u16,
}

impl<'a> Talk<'a> {
    fn new(capture: &'a mut Capture, conversation: Conversation) -> Talk<'a> {
        let (host, port) = conversation.client;
        let ends = Ends { src: address(host), dst: address(SERVER) };
        // The server's wraps within the handshake; the client's is past 2^31 for all of the ports but 80.
        let client_seq = u32::from(port) << 16 | 0xffff;
        Talk { capture, conversation, ends, client_seq, server_seq: u32::MAX, id: port }
    }

    /// From the handshake to the last acknowledgment: nine packets.
    fn through(mut self) {
        let Conversation { request, response, .. } = self.conversation;
        self.client(SYN, &[]);
        self.server(SYN | ACK, &[]);
        self.client(ACK, &[]);
        self.client(PSH | ACK, request);
        self.server(ACK, &[]);
        self.server(PSH | ACK, response);
        self.client(FIN | ACK, &[]);
        self.server(FIN | ACK, &[]);
        self.client(ACK, &[]);
    }

    fn client(&mut self, flags: u8, payload: &[u8]) {
        let Conversation { client: (host, sport), port: dport, options, .. } = self.conversation;
        let header = self.header(sport, dport, flags, [self.client_seq, self.server_seq]);
        self.client_seq = self.client_seq.wrapping_add(consumed(flags, payload));
        self.send((host, SERVER), self.ends, options, header, payload);
    }

    fn server(&mut self, flags: u8, payload: &[u8]) {
        let Conversation { client: (host, dport), port: sport, .. } = self.conversation;
        let header = self.header(sport, dport, flags, [self.server_seq, self.client_seq]);
        self.server_seq = self.server_seq.wrapping_add(consumed(flags, payload));
        self.send((SERVER, host), self.ends.reversed(), &[], header, payload);
    }

    /// SYNs have the usual options, and only what has ACK acknowledges.
    fn header(&self, sport: u16, dport: u16, flags: u8, [seq, ack]: [u32; 2]) -> Tcp {
        let ack = if flags & ACK == 0 { 0 } else { ack };
        let options: &[u8] = if flags & SYN == 0 { &[] } else { &SYN_OPTIONS };
        Tcp { sport, dport, seq, ack, flags, options }
    }

    fn send(&mut self, (from, to): (u8, u8), ends: Ends, options: &'static [u8], header: Tcp, payload: &[u8]) {
        self.id = self.id.wrapping_add(1);
        let segment = tcp(ends, header, payload);
        let packet = ip(ends, Ipv4 { id: self.id, options, ..Ipv4::PLAIN }, proto::TCP, &segment);
        self.capture.push(padded(ethernet(mac(to), mac(from), ether::IP, &packet)));
    }
}

/// By how much a segment moves the sequence number on.
fn consumed(flags: u8, payload: &[u8]) -> u32 {
    payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0)
}

fn address(host: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, host).into()
}

/// The server's number.
const SERVER: u8 = 80;

/// Router alert (RFC 2113): one word of options.
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// Two words of no operation, ended by the end of options.
const NOPS: [u8; 8] = [1, 1, 1, 1, 1, 1, 1, 0];
/// Record route (RFC 791) with nine empty places, ended by the end of options: all 40 bytes, a header length of 15.
const RECORD_ROUTE: [u8; 40] = {
    let mut options = [0; 40];
    options[0] = 7;
    options[1] = 39;
    options[2] = 4;
    options
};
/// Segment size 1460, SACK permitted, window scale 7: three words.
const SYN_OPTIONS: [u8; 12] = [2, 4, 0x05, 0xb4, 4, 2, 1, 1, 1, 3, 3, 7];

const GET_ROOT: &[u8] = b"GET / HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n\r\n";
const GET_LONG: &[u8] = b"GET /a/path/that/goes/on/for/a/while?with=a&query=string HTTP/1.1\r\n\
    Host: www.example.com\r\nUser-Agent: example/1.0\r\nAccept: text/html\r\nConnection: close\r\n\r\n";
const POST_FORM: &[u8] = b"POST /form HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 11\r\n\r\nname=oxbpf!";
const OK_PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const CREATED: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
/// The first bytes of a TLS record with a client's hello, and an alert that refuses it.
const TLS_HELLO: &[u8] = &[0x16, 3, 1, 0, 4, 1, 0, 0, 0];
const TLS_ALERT: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];
const SSH_CLIENT: &[u8] = b"SSH-2.0-client\r\n";
const SSH_SERVER: &[u8] = b"SSH-2.0-server\r\n";
