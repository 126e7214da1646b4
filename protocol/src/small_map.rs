//! A sorted vector with the names of `BTreeMap`, for the few sessions, panes or codes that there are.
//!
//! Each pair of types costs a `BTreeMap` 6 KB of a gateway that is to be about 1 MB, and 2 KB of a
//! packed control plane; up to a hundred entries are found and moved in a vector as quickly.

/// Values by key, in the keys' order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmallMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> SmallMap<K, V> {
    /// Where the key is, or else where it belongs.
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(key))
    }

    /// The key's value.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// The key's value, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let index = self.find(key).ok()?;
        self.0.get_mut(index).map(|(_, value)| value)
    }

    /// Whether the key has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// Gives the key this value; returns the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(index) => self.0.get_mut(index).map(|(_, old)| std::mem::replace(old, value)),
            Err(index) => {
                self.0.insert(index, (key, value));
                None
            }
        }
    }

    /// The key's value, which is the default if it had none.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let index = self.find(&key).unwrap_or_else(|index| {
            self.0.insert(index, (key, V::default()));
            index
        });
        // It was found or put there just now.
        &mut self.0[index].1
    }

    /// Takes the key out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.find(key).ok().map(|index| self.0.remove(index).1)
    }

    /// All entries from the key on, then those before it; their values to be changed.
    pub fn iter_mut_from(&mut self, key: &K) -> impl Iterator<Item = (&K, &mut V)> {
        let index = self.find(key).unwrap_or_else(|index| index);
        let (before, from) = self.0.split_at_mut(index);
        from.iter_mut().chain(before).map(|(key, value)| (&*key, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// All entries in order, their values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// All values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// All values in the order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// All values in the order of their keys, without the map.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// Keeps the entries for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Numbers below `bound`, the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % bound
        }
    }

    #[test]
    fn it_does_what_a_btreemap_does() {
        for seed in 0..200 {
            let mut numbers = Numbers(seed);
            let (mut ours, mut theirs) = (SmallMap::default(), BTreeMap::new());
            for value in 0..100 {
                let key = numbers.next(20);
                match numbers.next(6) {
                    0 | 1 => assert_eq!(ours.insert(key, value), theirs.insert(key, value)),
                    2 => assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    3 => {
                        *ours.get_or_default(key) += 1;
                        *theirs.entry(key).or_default() += 1;
                    }
                    4 => {
                        ours.retain(|other, value| *other != key && value % 5 != 0);
                        theirs.retain(|other, value| *other != key && *value % 5 != 0);
                    }
                    _ => {
                        let _ = ours.get_mut(&key).map(|it| *it += 1);
                        let _ = theirs.get_mut(&key).map(|it| *it += 1);
                    }
                }
                assert!(ours.iter().eq(theirs.iter()), "seed {seed}: {ours:?} {theirs:?}");
                assert!(ours.keys().eq(theirs.keys()) && ours.len() == theirs.len());
                assert!(ours.values().eq(theirs.values()));
                assert_eq!(ours.contains_key(&key), theirs.contains_key(&key));
                assert_eq!(
                    (ours.get(&key), ours.is_empty()),
                    (theirs.get(&key), theirs.is_empty())
                );
                let from = theirs.range(key..).chain(theirs.range(..key));
                assert!(ours.iter_mut_from(&key).map(|(key, value)| (key, &*value)).eq(from));
                assert!(ours.iter_mut().eq(theirs.iter_mut()));
                assert!(ours.values_mut().eq(theirs.values_mut()));
            }
            assert!(ours.into_values().eq(theirs.into_values()));
        }
    }
}
