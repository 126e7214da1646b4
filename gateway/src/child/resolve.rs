//! Looks up a host name; libc may take seconds for it.

use super::{Failure, argument};
use crate::limits::MAX_ADDRESSES;
use protocol::envelope::codes;
use std::net::ToSocketAddrs as _;

/// Arguments: host, port. Answer: addresses with ports, separated by spaces.
pub fn run(arguments: &[String]) -> Result<String, Failure> {
    let (host, port) = (argument(arguments, 0)?, argument(arguments, 1)?);
    let port = port.parse::<u16>().unwrap_or(443);
    let addresses = (host, port).to_socket_addrs().map_err(|error| {
        let message = format!("cannot look up {host}: {error}; check the name and the resolver");
        Failure::new(codes::IO, message)
    })?;
    let list: Vec<String> = addresses.take(MAX_ADDRESSES).map(|a| a.to_string()).collect();
    Ok(list.join(" "))
}
