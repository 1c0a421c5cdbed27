// SPDX-License-Identifier: AGPL-3.0-or-later
//! A map that forgets what was not used lately.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Two generations of at most `generation` entries: a hit moves an entry to the young one; when that is full, the old
/// one is dropped whole. Everything used among the last `generation` keys is there.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    generation: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    /// Holds between `generation` and twice as many entries.
    pub(crate) fn new(generation: usize) -> Self {
        Self { generation: generation.max(1), young: HashMap::new(), old: HashMap::new() }
    }

    pub(crate) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.generation && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.young.remove(key);
        self.old.remove(key);
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut map = Bounded::new(10);
        for key in 0..1000 {
            map.insert(key, key);
            assert_eq!(map.get_mut(&0), Some(&mut 0));
        }
        assert_eq!(map.get_mut(&999), Some(&mut 999));
        assert_eq!(map.get_mut(&500), None);
        assert!(map.young.len() + map.old.len() <= 20);
        map.remove(&0);
        assert_eq!(map.get_mut(&0), None);
    }
}
