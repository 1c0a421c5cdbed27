// SPDX-License-Identifier: AGPL-3.0-or-later
//! A map that forgets what was not used lately.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Two generations of at most `generation` weight: a hit moves an entry to the young one; when that is full, the old
/// one is dropped whole. Everything used among the last `generation` of weight is there.
#[derive(Debug)]
pub struct Bounded<K, V> {
    generation: usize,
    weight: usize,
    young: HashMap<K, Weighed<V>>,
    old: HashMap<K, Weighed<V>>,
}

#[derive(Debug)]
struct Weighed<V> {
    value: V,
    weight: usize,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    /// Holds between `generation` and twice as much.
    #[must_use]
    pub fn new(generation: usize) -> Self {
        Self { generation, weight: 0, young: HashMap::new(), old: HashMap::new() }
    }

    /// The value, which counts as used now.
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some((key, Weighed { value, weight })) = self.old.remove_entry(key) {
            self.insert_weighing(key, value, weight);
        }
        self.young.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Puts a value of weight 1, which counts as used now.
    pub fn insert(&mut self, key: K, value: V) {
        self.insert_weighing(key, value, 1);
    }

    /// Puts a value, which counts as used now.
    pub fn insert_weighing(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        if !self.young.is_empty() && self.weight.saturating_add(weight) > self.generation {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight = self.weight.saturating_add(weight);
        self.young.insert(key, Weighed { value, weight });
    }

    /// Forgets a value.
    pub fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.young.remove(key) {
            self.weight = self.weight.saturating_sub(entry.weight);
        }
        self.old.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.weight = 0;
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

    #[test]
    fn what_is_heavy_takes_the_room_of_many() {
        let mut map = Bounded::new(100);
        for key in 0..50 {
            map.insert_weighing(key, (), 40);
            assert!(map.get_mut(&key).is_some());
            assert!(map.young.len() + map.old.len() <= 4);
        }
        map.insert_weighing(99, (), 1000);
        assert!(map.get_mut(&99).is_some());
    }
}
