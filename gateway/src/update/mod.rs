//! The gateway replaces itself: manifest, signature, download, attempt, confirmation, way back.
//!
//! A manifest that is signed by the compiled-in key names version, target, place, size and hash.
//! A child fetches the file, looks at it again from the disk and lets it test itself; the old
//! binary stays beside the new one, which takes its name by one rename. The gateway then becomes
//! the new binary by `execve`: pid, service manager and sessions notice nothing.
//!
//! [`attempt`] is the order of these steps: its record in the state folder is written before each
//! of them that a crash could fall into, and the first thing that a starting gateway does is to
//! read it. A new version that was started once and was not confirmed gives way to the old one at
//! its second start, or when it finds no control plane in time.
//!
//! What ends before its `main` has read the record is not counted by anybody. Against that there
//! is only the self-test, which runs the new file with the same arguments, the same environment
//! and the same reading of the configuration before it gets the name.
//!
//! A version that was rolled back is not remembered: whoever may sign it may also want it tried
//! again, after an outage for instance.

pub mod attempt;
pub mod blake2b;
pub mod body;
pub mod fetch;
pub mod install;
pub mod manifest;
pub mod signature;
pub mod trial;
pub mod url;
