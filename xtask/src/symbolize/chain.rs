//! Which of the possible return addresses made the chain of calls, and which are leftovers.

/// How well one address explains another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It follows a call of the very function that the inner address is in.
    Sure,
    /// It follows a call of a function that goes on to the inner one by a jump.
    Likely,
    /// It follows a call of what a register or memory said.
    Possible,
    /// It follows a call of another function.
    Unlikely,
}

/// What a link adds to a chain. What an earlier call left is a chain of its own, mostly a short one,
/// which nothing sure leads to or from.
fn worth(fit: Fit) -> i32 {
    match fit {
        Fit::Sure => 2,
        Fit::Likely => 1,
        Fit::Possible => -1,
        Fit::Unlikely => -4,
    }
}

/// The places among `count` addresses, innermost first, of the best chain that leads from the first to
/// the last, which is where the program began. `fit(outer, inner)` judges a link.
pub fn best(count: usize, fit: impl Fn(usize, usize) -> Fit) -> Vec<usize> {
    // For each address what the way to it is worth, and which one is before it.
    let mut ways: Vec<(i32, usize)> = Vec::with_capacity(count);
    for outer in 0..count {
        let links = ways.iter().enumerate();
        let way = links.map(|(inner, (so_far, _))| (so_far + worth(fit(outer, inner)), inner));
        ways.push(way.max().unwrap_or_default());
    }
    let mut chain = Vec::new();
    let mut at = count.checked_sub(1);
    while let Some(place) = at {
        chain.push(place);
        at = ways.get(place).filter(|_| place > 0).map(|(_, inner)| *inner);
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_passed_over() {
        // 0 ← 2 ← 5 are sure; 3 and 4 are what another call left, and 1 fits nothing.
        let sure = [(2, 0), (5, 2), (4, 3)];
        let chain = best(6, |outer, inner| match (outer, inner) {
            link if sure.contains(&link) => Fit::Sure,
            (3, _) => Fit::Possible,
            _ => Fit::Unlikely,
        });
        assert_eq!(chain, [0, 2, 5]);
    }

    #[test]
    fn what_cannot_be_told_is_kept() {
        assert_eq!(best(3, |_, _| Fit::Sure), [0, 1, 2]);
        assert_eq!(best(1, |_, _| Fit::Unlikely), [0]);
        assert!(best(0, |_, _| Fit::Sure).is_empty());
    }
}
