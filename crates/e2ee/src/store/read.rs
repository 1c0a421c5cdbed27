// SPDX-License-Identifier: AGPL-3.0-or-later
//! CBOR (RFC 8949) to values: what [`super::cbor`] and `ciborium` write, and nothing else.
//!
//! Small, because each type that is read brings its own copy of whatever here has a type parameter, and all of it travels to
//! every browser: so what works is in functions without one, and no error says more than that there was one.
//!
//! Lengths are definite. Floats, tags and integers of more than 64 bits are in nothing that is kept, and refused. A sequence
//! of `u8` is read from a byte string as from an array.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::store::Damaged;

/// Decodes the whole of `bytes`.
///
/// # Errors
/// [`Damaged`]: not what is written of such a value.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damaged> {
    let mut reader = Reader { rest: bytes, left: 0, in_bytes: false, depth: DEPTH };
    let value = T::deserialize(&mut reader)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(Damaged) }
}

/// How deep sequences, maps and variants may lie in each other.
const DEPTH: u8 = 128;

impl de::Error for Damaged {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Elements or pairs still to come of the sequence or map we are in.
    left: u64,
    /// Inside a byte string that is read as a sequence: every byte is an item.
    in_bytes: bool,
    depth: u8,
}

/// What [`Reader::leave`] goes back to.
struct Outside {
    left: u64,
    in_bytes: bool,
}

impl<'a> Reader<'a> {
    // Three for each byte of each key: as calls they would be half of the time.
    #[inline(always)]
    fn byte(&mut self) -> Result<u8, Damaged> {
        let (byte, rest) = self.rest.split_first().ok_or(Damaged)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Damaged> {
        let length = usize::try_from(length).map_err(|_| Damaged)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The major type of what comes.
    fn peek(&self) -> Result<u8, Damaged> {
        match self.rest.first() {
            Some(_) if self.in_bytes => Ok(UNSIGNED),
            Some(head) => Ok(head >> 5),
            None => Err(Damaged),
        }
    }

    /// The head of a data item: its major type and argument.
    #[inline(never)]
    fn head(&mut self) -> Result<(u8, u64), Damaged> {
        let head = self.byte()?;
        if self.in_bytes {
            return Ok((UNSIGNED, head.into()));
        }
        let width = match head & 31 {
            argument @ 0..24 => return Ok((head >> 5, argument.into())),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(Damaged),
        };
        let argument = self.take(width)?.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        // In one byte a simple value has its own meaning; in more it is a float.
        if head >> 5 == SIMPLE { Err(Damaged) } else { Ok((head >> 5, argument)) }
    }

    /// The argument of an item of this type.
    fn argument(&mut self, major: u8) -> Result<u64, Damaged> {
        let (found, argument) = self.head()?;
        if found == major { Ok(argument) } else { Err(Damaged) }
    }

    #[inline(never)]
    fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = self.argument(TEXT)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Damaged)
    }

    #[inline(never)]
    fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let length = self.argument(BYTES)?;
        self.take(length)
    }

    /// An integer, and whether it stands for its complement.
    #[inline(never)]
    fn integer(&mut self) -> Result<(bool, u64), Damaged> {
        match self.head()? {
            (UNSIGNED, value) => Ok((false, value)),
            (NEGATIVE, value) => Ok((true, value)),
            _ => Err(Damaged),
        }
    }

    #[inline(never)]
    fn simple(&mut self) -> Result<u64, Damaged> {
        self.argument(SIMPLE)
    }

    /// Passes a null, if there is one.
    #[inline(never)]
    fn null(&mut self) -> bool {
        match self.rest {
            [NULL_ITEM, rest @ ..] if !self.in_bytes => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes an item and all in it.
    #[inline(never)]
    fn skip(&mut self) -> Result<(), Damaged> {
        let mut items = 1_u64;
        while let Some(others) = items.checked_sub(1) {
            let (major, argument) = self.head()?;
            let inside = match major {
                BYTES | TEXT => self.take(argument).map(|_| 0)?,
                ARRAY => argument,
                MAP => argument.checked_mul(2).ok_or(Damaged)?,
                UNSIGNED | NEGATIVE | SIMPLE => 0,
                _ => return Err(Damaged),
            };
            items = others.checked_add(inside).ok_or(Damaged)?;
        }
        Ok(())
    }

    /// Into an array, or a byte string as one.
    #[inline(never)]
    fn enter_sequence(&mut self) -> Result<Outside, Damaged> {
        match self.head()? {
            (ARRAY, length) => self.enter(length, false),
            (BYTES, length) => self.enter(length, true),
            _ => Err(Damaged),
        }
    }

    #[inline(never)]
    fn enter_map(&mut self) -> Result<Outside, Damaged> {
        let pairs = self.argument(MAP)?;
        self.enter(pairs, false)
    }

    fn enter(&mut self, left: u64, in_bytes: bool) -> Result<Outside, Damaged> {
        let outside = Outside { left: self.left, in_bytes: self.in_bytes };
        self.deeper()?;
        (self.left, self.in_bytes) = (left, in_bytes);
        Ok(outside)
    }

    fn deeper(&mut self) -> Result<(), Damaged> {
        self.depth = self.depth.checked_sub(1).ok_or(Damaged)?;
        Ok(())
    }

    /// Out again, if all in it was read.
    #[inline(never)]
    fn leave(&mut self, outside: Outside) -> Result<(), Damaged> {
        if self.left != 0 {
            return Err(Damaged);
        }
        self.depth += 1;
        (self.left, self.in_bytes) = (outside.left, outside.in_bytes);
        Ok(())
    }

    /// Whether there is another element or pair, which is then counted.
    #[inline(always)]
    fn another(&mut self) -> bool {
        // Not `left -= u64::from(left != 0)`: inlined, Rust 1.95 compiles that wrongly (decision 0014).
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Begins a variant, a level deeper: whether there is something in it.
    #[inline(never)]
    fn variant(&mut self) -> Result<bool, Damaged> {
        self.deeper()?;
        match self.peek()? {
            TEXT => Ok(false),
            MAP => match self.argument(MAP)? {
                1 => Ok(true),
                _ => Err(Damaged),
            },
            _ => Err(Damaged),
        }
    }
}

/// All integers are read alike: the visitor refuses what it cannot hold.
macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
            match self.integer()? {
                (false, value) => visitor.visit_u64(value),
                (true, value) => visitor.visit_i64(!i64::try_from(value).map_err(|_| Damaged)?),
            }
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
            visitor.visit_str(self.text()?)
        }
    )*};
}

macro_rules! units {
    ($($method:ident($($name:ident)?))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: &'static str,)? visitor: V) -> Result<V::Value, Damaged> {
            if self.null() { visitor.visit_unit() } else { Err(Damaged) }
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'_> {
    type Error = Damaged;

    integers! {
        deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
    }
    texts! { deserialize_str deserialize_string deserialize_char deserialize_identifier }
    units! { deserialize_unit() deserialize_unit_struct(_name) }

    #[inline(always)]
    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        // Most of what is read are the bytes of keys.
        if self.in_bytes {
            return visitor.visit_u8(self.byte()?);
        }
        self.deserialize_u64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        match self.simple()? {
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            _ => Err(Damaged),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Damaged> {
        Err(Damaged)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Damaged> {
        Err(Damaged)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        match self.peek()? {
            BYTES => visitor.visit_bytes(self.bytes()?),
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        if self.null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        let outside = self.enter_sequence()?;
        let value = visitor.visit_seq(Inside(self))?;
        self.leave(outside)?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Damaged> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        let outside = self.enter_map()?;
        let value = visitor.visit_map(Inside(self))?;
        self.leave(outside)?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        let filled = self.variant()?;
        let value = visitor.visit_enum(Variant { reader: &mut *self, filled })?;
        self.depth += 1;
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        match self.peek()? {
            UNSIGNED | NEGATIVE => self.deserialize_i64(visitor),
            BYTES => self.deserialize_bytes(visitor),
            TEXT => self.deserialize_str(visitor),
            ARRAY => self.deserialize_seq(visitor),
            MAP => self.deserialize_map(visitor),
            _ if self.null() => visitor.visit_unit(),
            _ => self.deserialize_bool(visitor),
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Inside a sequence or a map.
struct Inside<'r, 'a>(&'r mut Reader<'a>);

impl<'de> SeqAccess<'de> for Inside<'_, '_> {
    type Error = Damaged;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Damaged> {
        if self.0.another() { seed.deserialize(&mut *self.0).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.left.try_into().ok()
    }
}

impl<'de> MapAccess<'de> for Inside<'_, '_> {
    type Error = Damaged;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Damaged> {
        if self.0.another() { seed.deserialize(&mut *self.0).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Damaged> {
        seed.deserialize(&mut *self.0)
    }
}

/// At the name of a variant.
struct Variant<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// It is the key of a map of one, whose value is what is in it.
    filled: bool,
}

impl<'r, 'a> Variant<'r, 'a> {
    fn filled(self) -> Result<&'r mut Reader<'a>, Damaged> {
        if self.filled { Ok(self.reader) } else { Err(Damaged) }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Damaged;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Damaged> {
        let name = seed.deserialize(&mut *self.reader)?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Damaged;

    fn unit_variant(self) -> Result<(), Damaged> {
        if self.filled { Err(Damaged) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Damaged> {
        seed.deserialize(self.filled()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Damaged> {
        self.filled()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        self.filled()?.deserialize_map(visitor)
    }
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;
const FALSE: u64 = 20;
const TRUE: u64 = 21;
const NULL_ITEM: u8 = 0xf6;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, option, prelude::*};
    use serde::{Deserialize, Serialize};
    use serde_bytes::ByteBuf;

    use super::*;
    use crate::store::cbor::to_vec;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Nothing,
        One(u16),
        Two(i8, String),
        Named { bytes: Vec<u8>, maybe: Option<bool> },
        Deeper(Box<Shape>),
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Number(i64);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Row {
        shapes: Vec<Shape>,
        text: String,
        signed: Vec<Number>,
        bytes: ByteBuf,
        #[serde(default)]
        perhaps: Option<u64>,
        fixed: [u8; 3],
        map: BTreeMap<u16, (char, Vec<u8>)>,
        unit: (),
    }

    /// The same row, of a version that knew less.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Less {
        text: String,
    }

    fn shape() -> impl Strategy<Value = Shape> {
        let leaf = prop_oneof![
            Just(Shape::Nothing),
            any::<u16>().prop_map(Shape::One),
            (any::<i8>(), ".{0,9}").prop_map(|(number, text)| Shape::Two(number, text)),
            (vec(any::<u8>(), 0..300), option::of(any::<bool>()))
                .prop_map(|(bytes, maybe)| Shape::Named { bytes, maybe }),
        ];
        leaf.prop_recursive(3, 6, 1, |inner| inner.prop_map(|shape| Shape::Deeper(shape.into())))
    }

    fn row() -> impl Strategy<Value = Row> {
        let map = proptest::collection::btree_map(
            any::<u16>(),
            (any::<char>(), vec(any::<u8>(), 0..5)),
            0..4,
        );
        let numbers = vec(any::<i64>().prop_map(Number), 0..4);
        let bytes = vec(any::<u8>(), 0..70);
        let rest = (option::of(any::<u64>()), any::<[u8; 3]>(), map);
        (vec(shape(), 0..4), ".{0,40}", numbers, bytes, rest).prop_map(
            |(shapes, text, signed, bytes, (perhaps, fixed, map))| Row {
                shapes,
                text,
                signed,
                bytes: bytes.into(),
                perhaps,
                fixed,
                map,
                unit: (),
            },
        )
    }

    fn by_ciborium(row: &Row) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(row, &mut bytes).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn both_writers_are_read_as_by_ciborium(row in row()) {
            for bytes in [to_vec(&row).unwrap(), by_ciborium(&row)] {
                prop_assert_eq!(&from_slice::<Row>(&bytes).unwrap(), &row);
                prop_assert_eq!(&ciborium::from_reader::<Row, _>(bytes.as_slice()).unwrap(), &row);
                prop_assert_eq!(from_slice::<Less>(&bytes).unwrap().text, row.text.clone());
            }
        }

        #[test]
        fn of_damaged_bytes_nothing_else_is_made_than_ciborium_makes(
            row in row(),
            damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = by_ciborium(&row);
            for (place, byte) in damage {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            for bytes in [&bytes[..], &bytes[..end.index(bytes.len())]] {
                if let Ok(read) = from_slice::<Row>(bytes) {
                    prop_assert_eq!(ciborium::from_reader::<Row, _>(bytes).unwrap(), read);
                }
                let _ = from_slice::<Less>(bytes);
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..200)) {
            let _ = from_slice::<Row>(&bytes);
            let _ = from_slice::<Shape>(&bytes);
            let _ = from_slice::<de::IgnoredAny>(&bytes);
        }
    }

    #[test]
    fn what_follows_is_not_passed_over() {
        assert_eq!(from_slice::<u8>(&[7]), Ok(7));
        assert_eq!(from_slice::<u8>(&[7, 7]), Err(Damaged));
        assert_eq!(from_slice::<(u8, u8)>(&[0x82, 1, 2]), Ok((1, 2)));
        assert_eq!(from_slice::<(u8, u8)>(&[0x83, 1, 2, 3]), Err(Damaged));
    }

    #[test]
    fn a_length_that_is_claimed_is_not_believed() {
        let claim = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(from_slice::<Vec<u64>>(&claim), Err(Damaged));
        let claim = [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(from_slice::<ByteBuf>(&claim), Err(Damaged));
        assert_eq!(from_slice::<Vec<u8>>(&claim), Err(Damaged));
    }

    #[test]
    fn depth_does_not_eat_the_stack() {
        let mut unknown = vec![0xa2, 0x61, b'x'];
        unknown.extend(vec![0x81; 1_000_000]);
        unknown.extend([0, 0x64, b't', b'e', b'x', b't', 0x60]);
        assert_eq!(from_slice::<Less>(&unknown), Ok(Less { text: String::new() }));
        let mut shape = b"\xa1\x66Deeper".repeat(1_000_000);
        shape.extend(b"\x67Nothing");
        assert_eq!(from_slice::<Shape>(&shape), Err(Damaged));
    }

    #[test]
    fn what_is_never_written_is_refused() {
        assert!(from_slice::<Vec<u64>>(&[0x9f, 1, 0xff]).is_err(), "no length");
        assert!(from_slice::<f64>(&[0xf9, 0, 0]).is_err(), "a float");
        assert!(from_slice::<u64>(&[0xc2, 0x41, 1]).is_err(), "a tag");
        assert!(from_slice::<Shape>(b"\xa1\x67Nothing\xf6").is_err(), "something in nothing");
        assert!(from_slice::<Shape>(b"\x63One").is_err(), "nothing in something");
        assert!(from_slice::<i64>(&[0x3b, 0xff, 0, 0, 0, 0, 0, 0, 0]).is_err(), "too negative");
    }
}
