//! What most tests start from: a control plane, a gateway that is connected, and its link.

use crate::gateway::Gateway;
use crate::link::Link;
use crate::mock_cp::MockCp;
use crate::slow_way::{SlowWay, Way};
use std::ops::{Deref, DerefMut};

/// The whole arrangement. Reads and commands go straight to the link.
pub struct Stage {
    /// The present connection.
    pub link: Link,
    /// The gateway and its tmux server.
    pub gateway: Gateway,
    /// The control plane.
    pub cp: MockCp,
}

impl Stage {
    /// A connected gateway over plain TCP.
    pub fn new() -> Self {
        Self::on(MockCp::new())
    }

    /// A connected gateway of `cp`.
    pub fn on(cp: MockCp) -> Self {
        Self::with(cp, &[])
    }

    /// A connected gateway with more environment.
    pub fn with(cp: MockCp, environment: &[(&str, &str)]) -> Self {
        let mut gateway = Gateway::new(&cp.url());
        if let Some(authority) = &cp.authority {
            gateway.trust(&authority.pem);
        }
        for (name, value) in environment {
            gateway.set(name, value);
        }
        gateway.run();
        let link = cp.accept();
        Self { link, gateway, cp }
    }

    /// A connected gateway that reaches its control plane over a slow way.
    pub fn behind(way: Way) -> (Self, SlowWay) {
        let cp = MockCp::new();
        let way = SlowWay::to(cp.port(), way);
        let mut gateway =
            Gateway::new(&cp.url().replace(&cp.port().to_string(), &way.port().to_string()));
        gateway.run();
        let link = cp.accept();
        (Self { link, gateway, cp }, way)
    }

    /// Takes the gateway's next connection; readers go on where they stood.
    pub fn reconnect(&mut self) {
        let next = self.cp.accept();
        let old = std::mem::replace(&mut self.link, next);
        for (session_id, stream) in old.streams {
            self.link.adopt(session_id, stream);
        }
    }

    /// Kills the gateway as `kill -9` does, starts it again and takes its connection.
    pub fn kill_and_restart_gateway(&mut self) {
        self.gateway.kill();
        self.gateway.run();
        self.reconnect();
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Stage {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}
