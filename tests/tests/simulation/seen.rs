//! What happened in the schedules, so that a simulation that tests nothing is noticed.

/// Every case must happen at least once in so many schedules.
const SCHEDULES_A_CASE: u64 = 60;

macro_rules! seen {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        /// Counts of what happened.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Seen {
            $($(#[$meta])* pub $name: u64,)*
            /// Bytes that programs printed.
            pub bytes: u64,
            /// Of all that pages were sent: equal for equal schedules.
            pub digest: u64,
        }

        impl Seen {
            /// Adds what happened in another schedule.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
                self.bytes += other.bytes;
                self.digest = self.digest.wrapping_add(other.digest);
            }

            /// Fails when a case hardly came up in `schedules` of them.
            pub fn assert_all_happened(&self, schedules: u64) {
                let least = schedules / SCHEDULES_A_CASE;
                $(assert!(
                    self.$name >= least,
                    "only {} {} in {schedules} schedules: {self:?}",
                    self.$name,
                    stringify!($name),
                );)*
            }
        }
    };
}

seen! {
    /// The link broke.
    cuts,
    /// The gateway was killed and started again.
    restarts,
    /// tmux let go of a control client.
    clients_lost,
    lags,
    snapshots,
    replays,
    /// Pages closed, or their sockets broken.
    leavers,
    resizes,
    /// Resizes of a session that lagged.
    resizes_in_lag,
    /// Nobody looked for so long that tmux stopped sending.
    pauses,
    pane_switches,
    /// The hub was forgotten and rebuilt from its sockets' attachments.
    hibernations,
    /// The hub panicked.
    panics,
    /// The control plane was started anew: every socket closed.
    deploys,
    pastes,
    /// Schedules with several sessions on the link.
    shared_links,
    /// Pages on a line with latency or little bandwidth.
    slow_pages,
    /// Streams that passed 2³².
    wraps,
}
