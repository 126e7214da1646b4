//! The look for silent sockets, by one alarm while browsers are connected.

use super::hub::Core;
use super::now;
use crate::limits::{BROWSER_SILENCE_MS, CLOSE_SILENT, GATEWAY_SILENCE_MS, SWEEP_INTERVAL_MS};
use std::rc::Rc;
use std::time::Duration;
use worker::Result;
use worker::console_error;
use worker::wasm_bindgen_futures::spawn_local;

impl Core {
    /// Sets the alarm unless it is set.
    pub(super) fn arm_sweep(self: &Rc<Self>) {
        let core = Rc::clone(self);
        spawn_local(async move {
            if let Err(error) = core.set_sweep().await {
                console_error!("setting the alarm: {error}");
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
        let silent: Vec<_> = self
            .sockets
            .borrow()
            .browsers
            .iter()
            .filter(|peer| now.saturating_sub(peer.last_sign(&self.state)) >= BROWSER_SILENCE_MS)
            .map(|peer| peer.id)
            .collect();
        self.drive(None, |hub| {
            for id in silent {
                hub.close_browser(id, CLOSE_SILENT, "no heartbeat for 10 minutes", now);
            }
        });
        self.drop_silent_gateway();
        if self.hub.borrow().browser_count() > 0 { self.set_sweep().await } else { Ok(()) }
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
