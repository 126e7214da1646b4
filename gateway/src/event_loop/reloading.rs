//! The service manager's side of the loop: reading the settings again, and telling how it goes.

use super::EventLoop;
use crate::config::Config;
use crate::limits::Ms;

impl EventLoop {
    /// SIGHUP: what can change while sessions live is applied at once. Settings that are wrong
    /// change nothing.
    pub(super) fn reload(&mut self) {
        self.service.reloading();
        let loaded = Config::load(self.flags.clone(), |name| std::env::var(name).ok());
        let config = match loaded {
            Ok(config) => config,
            Err(error) => {
                crate::log!(Error, "the settings stay as they were", why = error);
                return;
            }
        };
        let running = self.daemon.config();
        let (config, waiting) = config.replacing(running);
        let relink = config.cp_url != running.cp_url || config.bearer() != running.bearer();
        crate::log::init(config.log_level, config.log_format);
        self.daemon.reconfigure(config);
        for setting in waiting {
            crate::log!(Warn, "a changed setting waits for a restart", setting = setting);
        }
        crate::log!(Info, "the settings were read again", new_link = relink);
        if relink {
            self.link.relink(&mut self.daemon, self.clock.now());
        }
    }

    /// Tells the service manager what is new, if there is one.
    pub(super) fn report(&mut self, now: Ms) {
        if self.service.is_heard() {
            self.service.turn(self.daemon.is_ready(), self.daemon.summary(), now);
        }
    }
}
