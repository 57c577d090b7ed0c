//! The order in which places of one rank are called.
//! Owns: shares by weight ([RFC 2782](https://www.rfc-editor.org/rfc/rfc2782), *Usage rules*).
//! Never: knows a place.

/// These in an order drawn by their weights: each of the rest is next with the share that its weight has of theirs. `below` draws a number from 0 to its
/// argument. One of weight 0 is next only where 0 is drawn, or when all others have been.
pub(crate) fn drawn<T>(mut items: Vec<(T, u16)>, mut below: impl FnMut(u32) -> u32) -> Vec<T> {
    // Those of weight 0 first, so that a drawn 0 finds them.
    items.sort_by_key(|(_, weight)| *weight != 0);
    let mut order = Vec::with_capacity(items.len());
    while !items.is_empty() {
        let sum: u32 = items.iter().map(|(_, weight)| u32::from(*weight)).sum();
        let wanted = below(sum);
        let mut running = 0;
        let reaches = |(_, weight): &(T, u16)| {
            running += u32::from(*weight);
            running >= wanted
        };
        let at = items.iter().position(reaches).unwrap_or(0);
        order.push(items.remove(at).0);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_is_drawn_by_weight_and_the_others_after_it() {
        let of = |number: u32| {
            let items = vec![("large", 60), ("none", 0), ("small", 20), ("equal", 20)];
            let mut numbers = std::iter::once(number);
            drawn(items, |_| numbers.next().unwrap_or(0))
        };
        for (number, first) in [
            (0, "none"),
            (1, "large"),
            (60, "large"),
            (61, "small"),
            (80, "small"),
            (81, "equal"),
            (100, "equal"),
        ] {
            let order = of(number);
            assert_eq!((order.len(), order[0]), (4, first), "{number}");
        }
        let alike = drawn(vec![("one", 0), ("two", 0)], |sum| sum);
        assert_eq!(alike, ["one", "two"]);
    }

    #[test]
    fn shares_of_many_draws_are_those_of_the_weights() {
        let (mut large, draws) = (0, 1_200);
        for number in 0..draws {
            let items = vec![("large", 2), ("small", 1)];
            let first = drawn(items, |sum| 1 + number % sum)[0];
            large += u32::from(first == "large");
        }
        assert_eq!(large, draws * 2 / 3);
    }
}
