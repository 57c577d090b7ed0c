//! What the process takes away from whoever gets at it.
//! Owns: no core dumps, no ptrace by other processes of the same user, nothing of it in swap.
//! Never: fails a start because a system lacks a knob; it says so. Captured digits in swap are no such knob: see [`judge_arena`].

use rustix::mm::MlockAllFlags;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::CapabilitySet;
use secret::LockState;

/// Takes core dumps away and locks memory; before anything secret is in it. Yields what could not be done.
pub(crate) fn apply() -> Vec<String> {
    let mut missing = Vec::new();
    // A core limit of 0 does not stop a pipe handler; not being dumpable does.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        missing.push(format!("memory stays dumpable: {error}"));
    }
    if let Err(error) = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    ) {
        missing.push(format!("core dumps stay possible: {error}"));
    }
    if let Err(why) = lock_memory()
        && is_swap_on()
    {
        missing.push(format!(
            "buffers of requests and packets may be swapped out: {why}"
        ));
    }
    missing
}

/// Digits pass through buffers beside the arena: of requests, of TLS, of packets. Only where no limit applies: under one, memory that is asked for
/// later would be refused. Pages are locked as they are touched; nothing grows by it.
fn lock_memory() -> Result<(), String> {
    let maximum = getrlimit(Resource::Memlock).maximum;
    // The arena is small and fits under many a limit, but not under every soft one.
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Memlock, raised).map_err(|error| error.to_string())?;
    let is_exempt = rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    if maximum.is_some() && !is_exempt {
        return Err("the limit of locked memory (memlock) is not infinite".to_owned());
    }
    let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    rustix::mm::mlockall(all).map_err(|error| error.to_string())
}

/// Whether the arena of captured digits is safe from swap.
///
/// # Errors
/// It is not locked, and this machine swaps: what to do.
pub(crate) fn judge_arena(lock: LockState) -> Result<(), String> {
    judge(lock, is_swap_on())
}

fn judge(lock: LockState, is_swap_on: bool) -> Result<(), String> {
    match lock {
        LockState::Unlocked { os_error } if is_swap_on => Err(format!(
            "captured digits could be swapped to disk (memory cannot be locked: {}). Raise the limit \"memlock\" of this process \
             (systemd: LimitMEMLOCK=infinity; Docker: --ulimit memlock=-1), or switch swap off",
            std::io::Error::from_raw_os_error(os_error)
        )),
        LockState::Locked | LockState::Unlocked { .. } => Ok(()),
    }
}

/// This machine can write memory to disk. Where it cannot be asked it is taken to.
fn is_swap_on() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |swaps| has_swap(&swaps))
}

/// A line of headings, then a line for each swap device (proc(5)).
fn has_swap(swaps: &str) -> bool {
    swaps.lines().skip(1).any(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlocked_arena_is_refused_where_memory_is_swapped() {
        let refused = LockState::Unlocked { os_error: 12 };
        let told = judge(refused, true).unwrap_err();
        assert!(told.contains("LimitMEMLOCK=infinity"), "{told}");
        assert!(judge(refused, false).is_ok());
        assert!(judge(LockState::Locked, true).is_ok());
    }

    #[test]
    fn a_swap_device_is_seen() {
        let head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        assert!(!has_swap(head));
        assert!(has_swap(&format!(
            "{head}/dev/vdb                                partition\t1048572\t\t0\t\t-2\n"
        )));
    }

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes() {
        let _missing = apply();
        let limit = getrlimit(Resource::Memlock);
        assert_eq!(limit.current, limit.maximum);
    }
}
