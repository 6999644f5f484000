//! pcapng block by block, as the tests need it: in both byte orders, and wrong where wanted.

use oxbpf_capture::ByteOrder;

/// Builds a pcapng.
#[derive(Clone)]
pub struct Blocks {
    pub order: ByteOrder,
    pub bytes: Vec<u8>,
}

impl Blocks {
    /// A file that begins with a section of this byte order.
    pub fn section(order: ByteOrder) -> Blocks {
        let mut blocks = Blocks { order, bytes: Vec::new() };
        blocks.begin_section(order);
        blocks
    }

    /// Another section.
    pub fn begin_section(&mut self, order: ByteOrder) {
        self.order = order;
        let mut body = self.u32(0x1a2b_3c4d).to_vec();
        body.extend(self.u16(1));
        body.extend(self.u16(0));
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body);
    }

    pub fn u16(&self, value: u16) -> [u8; 2] {
        match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    pub fn u32(&self, value: u32) -> [u8; 4] {
        match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    /// A block of that type; the body is padded.
    pub fn block(&mut self, kind: u32, body: &[u8]) {
        let padded = body.len().next_multiple_of(4);
        let len = self.u32(12 + padded as u32);
        self.bytes.extend(self.u32(kind));
        self.bytes.extend(len);
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend(len);
    }

    /// Options, closed by their end.
    pub fn options(&self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, value) in options {
            bytes.extend(self.u16(*code));
            bytes.extend(self.u16(value.len() as u16));
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes.extend([0; 4]);
        bytes
    }

    /// An interface description.
    pub fn interface(&mut self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) {
        let mut body = self.u16(link).to_vec();
        body.extend([0, 0]);
        body.extend(self.u32(snaplen));
        body.extend(self.options(options));
        self.block(1, &body);
    }

    /// An enhanced packet block.
    pub fn enhanced(&mut self, interface: u32, units: u64, len: u32, data: &[u8], options: &[(u16, &[u8])]) {
        let fields = [interface, (units >> 32) as u32, units as u32, data.len() as u32, len];
        let mut body = fields.map(|f| self.u32(f)).concat();
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        if !options.is_empty() {
            body.extend(self.options(options));
        }
        self.block(6, &body);
    }

    /// An obsolete packet block.
    pub fn obsolete(&mut self, interface: u16, units: u64, len: u32, data: &[u8]) {
        let mut body = [self.u16(interface), self.u16(7)].concat();
        let fields = [(units >> 32) as u32, units as u32, data.len() as u32, len];
        body.extend(fields.map(|f| self.u32(f)).concat());
        body.extend(data);
        self.block(2, &body);
    }

    /// A simple packet block.
    pub fn simple(&mut self, len: u32, data: &[u8]) {
        let mut body = self.u32(len).to_vec();
        body.extend(data);
        self.block(3, &body);
    }
}
