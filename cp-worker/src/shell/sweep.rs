//! The look for silent sockets, by one alarm while browsers are connected.

use super::hub::Core;
use super::now;
use super::sockets::Peer;
use crate::hub::SocketId;
use crate::limits::{
    BROWSER_SILENCE_MS, CLOSE_SILENT, FOCUS_SILENCE_MS, GATEWAY_SILENCE_MS, SWEEP_INTERVAL_MS,
};
use std::rc::Rc;
use std::time::Duration;
use worker::Result;
use worker::wasm_bindgen_futures::spawn_local;

impl Core {
    /// Sets the alarm unless it is set.
    pub(super) fn arm_sweep(self: &Rc<Self>) {
        let core = Rc::clone(self);
        spawn_local(async move {
            if let Err(error) = core.set_sweep().await {
                core.log_error("alarm.failed", &error);
            }
        });
    }

    async fn set_sweep(&self) -> Result<()> {
        let storage = self.state.storage();
        if storage.get_alarm().await?.is_none() {
            storage.set_alarm(Duration::from_millis(SWEEP_INTERVAL_MS)).await?;
        }
        Ok(())
    }

    /// Closes what is silent; the alarm goes on while browsers remain.
    pub(super) async fn sweep(self: &Rc<Self>) -> Result<()> {
        let now = now();
        let silent = self.silent_browsers(BROWSER_SILENCE_MS);
        self.drive(None, |hub| {
            for id in silent {
                hub.close_browser(id, CLOSE_SILENT, "no heartbeat for 10 minutes", now);
            }
        });
        self.drop_silent_gateway();
        if self.hub.borrow().browser_count() > 0 { self.set_sweep().await } else { Ok(()) }
    }

    fn silent_browsers(&self, limit_ms: u64) -> Vec<SocketId> {
        let now = now();
        let sockets = self.sockets.borrow();
        let silent = |peer: &&Peer| now.saturating_sub(peer.last_sign(&self.state)) >= limit_ms;
        sockets.browsers.iter().filter(silent).map(|peer| peer.id).collect()
    }

    /// Takes the focus from pages whose pings have stopped although they said no goodbye.
    pub(super) fn drop_silent_focus(self: &Rc<Self>) {
        let mut silent = self.hub.borrow().focused();
        if silent.is_empty() {
            return;
        }
        let all_silent = self.silent_browsers(FOCUS_SILENCE_MS);
        silent.retain(|id| all_silent.contains(id));
        if !silent.is_empty() {
            self.drive(None, |hub| hub.unfocus(&silent));
        }
    }

    /// Gives up a gateway whose pings have stopped although nobody saw its socket close.
    pub(super) fn drop_silent_gateway(self: &Rc<Self>) {
        let silent = self.sockets.borrow().gateway.as_ref().is_some_and(|peer| {
            now().saturating_sub(peer.last_sign(&self.state)) >= GATEWAY_SILENCE_MS
        });
        if silent {
            self.drive(None, |hub| hub.gateway_silent());
        }
    }
}
