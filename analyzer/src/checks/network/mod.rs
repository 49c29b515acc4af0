//! Ports, adapters, name resolution.

mod logs;
mod ports;
#[cfg(test)]
mod testing;

pub mod gateway;
pub mod intranet_dns;
pub mod mac_address;
pub mod port_exhaustion;
pub mod tcp_wait_states;
