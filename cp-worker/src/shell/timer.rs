//! One timer that can be stopped: as long as one runs, the object is kept awake.

use std::cell::{Cell, OnceCell};
use wasm_bindgen::prelude::*;
use worker::js_sys::Function;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, delay_ms: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// A timer.
#[derive(Default)]
pub struct Timer {
    callback: OnceCell<Closure<dyn FnMut()>>,
    running: Cell<Option<(u64, JsValue)>>,
}

impl Timer {
    /// Says what is to be done whenever it fires; once.
    pub fn on_fire(&self, callback: impl FnMut() + 'static) {
        let _ = self.callback.set(Closure::wrap(Box::new(callback)));
    }

    /// Sees to it that it fires at `deadline` (milliseconds) at the latest; not at all when `None`.
    pub fn set(&self, deadline: Option<u64>, now: u64) {
        let running = self.running.take();
        if let (Some(at), Some((armed, timer))) = (deadline, &running)
            && *armed <= at
        {
            return self.running.set(Some((*armed, timer.clone())));
        }
        if let Some((_, timer)) = running {
            clear_timeout(&timer);
        }
        if let (Some(at), Some(callback)) = (deadline, self.callback.get()) {
            let delay = at.saturating_sub(now).max(1);
            let timer = set_timeout(callback.as_ref().unchecked_ref(), delay as f64);
            self.running.set(Some((at, timer)));
        }
    }

    /// Notes that it has fired.
    pub fn fired(&self) {
        self.running.set(None);
    }
}
