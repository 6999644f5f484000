//! Filter expressions from outside: what they say of packets, how long their programs are, and what is wrong with them.

mod agree;
mod generate;
mod oracle;
mod packets;
