//! The link's other end: what reaches the hub, what it does, and how it is forgotten.

use super::super::fault::Fault;
use super::super::page::Message;
use super::super::wire::Wire;
use super::{GATEWAY, World};
use cp_worker::hub::{self, Hub};
use protocol::commands::{Command, Incoming, SessionAck, decode};
use protocol::frame::HEADER_BYTES;

impl World {
    pub(super) fn link_carries(&mut self) {
        let most = 1 + self.random.below(if self.flood { 200_000 } else { 4_000 }) as usize;
        self.carry(most);
    }

    /// Moves so many bytes in each direction; what is not whole then goes on next time.
    pub(super) fn carry(&mut self, most: usize) {
        let mut allowance = most;
        while let Some(message) = self.to_hub.take_within(&mut allowance, self.now) {
            self.hub_hears(&message);
        }
        let mut allowance = most;
        while let Some(text) = self.to_gateway.take_within(&mut allowance, self.now) {
            self.gateway_hears(&text);
        }
        self.perform();
        self.gateway_sends();
    }

    fn hub_hears(&mut self, message: &Message) {
        match message {
            Message::Text(text) => {
                self.trace("to hub", text);
                self.hub.gateway_text(text, self.now);
            }
            Message::Binary(bytes) => {
                let head: &[u8; HEADER_BYTES] = bytes.first_chunk().expect("a whole header");
                self.hub.gateway_binary(head, bytes.len(), self.now);
            }
        }
        self.hub_effects(Some(message));
    }

    fn gateway_hears(&mut self, text: &str) {
        self.trace("to gateway", text);
        self.contract.commanded(text);
        let at = self.at();
        match self.overstated(text) {
            Some(wrong) => self.daemon.on_text(&wrong, at),
            None => self.daemon.on_text(text, at),
        }
    }

    /// A fault: the gateway reads every ack as one for all that it has sent.
    fn overstated(&mut self, text: &str) -> Option<String> {
        let trap = self.trap.as_mut()?;
        let Incoming::Command { command: Command::SessionAck(ack), .. } = decode(text) else {
            return None;
        };
        let seq = self.contract.sent(ack.session_id)?;
        let holds = trap.holds(Fault::ExceedCredit, 0);
        holds.then(|| Command::from(SessionAck { seq, ..ack }).to_json(None))
    }

    /// Does what the hub wants done; `passed` is the message that it is handling.
    pub(super) fn hub_effects(&mut self, passed: Option<&Message>) {
        for effect in self.hub.take_effects() {
            match effect {
                hub::Effect::ToGateway(text) => self.hub_says(text),
                hub::Effect::ToBrowser(id, text) => self.give(id, Message::Text(text.into())),
                hub::Effect::Pass(id) => {
                    self.give(id, passed.expect("a message to pass on").clone());
                }
                hub::Effect::CloseGateway(code, why) => panic!("the hub closes {code}: {why}"),
                hub::Effect::CloseBrowser(_, code, why) => panic!("a page is closed {code}: {why}"),
                hub::Effect::SaveGateway(text) => self.gateway_attachment = Some(text),
                hub::Effect::SaveBrowser(id, text) => drop(self.attachments.insert(id, text)),
                hub::Effect::Record(_) | hub::Effect::Sample(_) | hub::Effect::Runaway(..) => {}
                other => panic!("unexpected: {other:?}"),
            }
        }
    }

    fn hub_says(&mut self, text: String) {
        if let Some(trap) = &mut self.trap
            && text.starts_with(r#"{"type":"session.ack""#)
            && trap.holds(Fault::StopAcks, 0)
        {
            return;
        }
        if self.up {
            let size = text.len();
            self.to_gateway.put(text, size, self.now);
        }
    }

    fn give(&mut self, id: u32, message: Message) {
        match &message {
            Message::Text(text) => self.trace("to a page", &format!("{id} {text}")),
            Message::Binary(bytes) => {
                self.trace("to a page", &format!("{id} frame of {}", bytes.len()))
            }
        }
        let Some(page) = self.pages.get_mut(&id) else { return };
        let digest = &mut self.seen.digest;
        let size = message.len() as u64;
        *digest = (digest.wrapping_mul(31) ^ self.now).wrapping_add(size << 8 | u64::from(id));
        if let Message::Binary(bytes) = &message {
            let last = bytes.last().copied().unwrap_or_default();
            *digest = digest.wrapping_mul(31).wrapping_add(u64::from(last));
        }
        if self.trap.as_mut().is_some_and(|trap| trap.springs(Fault::LoseForPage)) {
            return;
        }
        page.deliver(message, self.now);
        if let Some(trap) = &mut self.trap
            && trap.springs(Fault::SwapForPage)
        {
            trap.sprung = page.inbox.swap_last_two();
        }
    }

    /// The hub's memory goes; how depends on why.
    pub(super) fn hub_forgets(&mut self) {
        match self.random.below(10) {
            0..6 => self.hub_hibernates(),
            6..8 => self.hub_panics(),
            _ => self.control_plane_is_deployed(),
        }
    }

    /// Hibernation comes only while no timer runs, so everything is kept by then.
    fn hub_hibernates(&mut self) {
        // A while without events, so that it can come to that.
        for _ in 0..4 {
            self.link_carries();
            self.now += 200;
            self.hub.tick(self.now);
            self.hub_effects(None);
        }
        if self.hub.next_deadline().is_none() {
            self.trace("hub", "hibernates");
            self.seen.hibernations += 1;
            self.rebuild_hub();
            let effects = self.hub.take_effects();
            assert!(effects.is_empty(), "hibernation shows: {effects:?}");
        }
    }

    /// A panic comes at any time, between two saves too.
    fn hub_panics(&mut self) {
        self.trace("hub", "panics");
        self.seen.panics += 1;
        self.rebuild_hub();
        self.hub.distrust(self.now);
        self.hub_effects(None);
    }

    fn rebuild_hub(&mut self) {
        self.hubs += 1;
        self.hub = Hub::new(GATEWAY.to_owned(), self.hubs);
        if let Some(attachment) = &self.gateway_attachment {
            self.hub.restore_gateway(attachment);
        }
        for (id, attachment) in &self.attachments {
            self.hub.restore_browser(*id, attachment);
        }
        self.hub.restored();
    }

    /// A new version: every socket is closed, and whoever cares comes back.
    fn control_plane_is_deployed(&mut self) {
        self.cut();
        self.trace("control plane", "deployed");
        self.seen.deploys += 1;
        let ids: Vec<u32> = self.pages.keys().copied().collect();
        for id in ids {
            let page = self.pages.remove(&id);
            self.remember(page);
        }
        self.attachments.clear();
        self.gateway_attachment = None;
        self.hubs += 1;
        self.hub = Hub::new(GATEWAY.to_owned(), self.hubs);
        self.to_gateway = Wire::new(self.speed);
    }
}
