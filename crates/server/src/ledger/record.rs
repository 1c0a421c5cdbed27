// SPDX-License-Identifier: AGPL-3.0-or-later
//! The directory's records as rows, and back. Integers are big endian; a label is its length in bits (u16), the count of
//! its bytes up to the last that is not zero (u8), and those.

use akd::{
    AkdLabel, AkdValue, Azks, AzksValue, NodeLabel,
    storage::types::ValueState,
    tree_node::{NodeKey, TreeNode, TreeNodeType, TreeNodeWithPreviousValue},
};
use bytes::Bytes;

use crate::storage::directory::NodeName;

/// A row is not what was written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

type Read<T> = Result<T, Broken>;

pub(crate) fn node_name(key: &NodeKey) -> NodeName {
    let length = u16::try_from(key.0.label_len).unwrap_or(u16::MAX);
    let mut name = [0; 34];
    let bytes = key.0.label_val.iter().copied().chain(length.to_be_bytes());
    name.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    name
}

pub(crate) fn head_row(head: &Azks) -> Bytes {
    [head.latest_epoch.to_be_bytes(), head.num_nodes.to_be_bytes()].concat().into()
}

pub(crate) fn head(row: &[u8]) -> Read<Azks> {
    let mut row = Row(row);
    Ok(Azks { latest_epoch: row.u64()?, num_nodes: row.u64()? })
}

pub(crate) fn node_row(node: &TreeNodeWithPreviousValue) -> Bytes {
    let mut row = Vec::with_capacity(256);
    put_node(&mut row, &node.latest_node);
    if let Some(previous) = &node.previous_node {
        put_node(&mut row, previous);
    }
    row.into()
}

pub(crate) fn node(label: NodeLabel, row: &[u8]) -> Read<TreeNodeWithPreviousValue> {
    let mut row = Row(row);
    let latest_node = row.node(label)?;
    let previous_node = if row.0.is_empty() { None } else { Some(row.node(label)?) };
    Ok(TreeNodeWithPreviousValue { label, latest_node, previous_node })
}

pub(crate) fn version_row(state: &ValueState) -> Bytes {
    let mut row = Vec::with_capacity(80);
    row.extend_from_slice(&state.version.to_be_bytes());
    put_label(&mut row, &state.label);
    row.extend_from_slice(&state.value);
    row.into()
}

pub(crate) fn version(username: &AkdLabel, epoch: u64, row: &[u8]) -> Read<ValueState> {
    let mut row = Row(row);
    let version = row.u64()?;
    let label = row.label()?;
    let value = AkdValue(row.0.to_vec());
    Ok(ValueState { value, version, label, epoch, username: username.clone() })
}

fn put_node(row: &mut Vec<u8>, node: &TreeNode) {
    row.push(match node.node_type {
        TreeNodeType::Leaf => 1,
        TreeNodeType::Root => 2,
        TreeNodeType::Interior => 3,
    });
    row.extend_from_slice(&node.last_epoch.to_be_bytes());
    row.extend_from_slice(&node.min_descendant_epoch.to_be_bytes());
    put_label(row, &node.parent);
    for child in [&node.left_child, &node.right_child] {
        row.push(u8::from(child.is_some()));
        if let Some(child) = child {
            put_label(row, child);
        }
    }
    row.extend_from_slice(&node.hash.0);
}

fn put_label(row: &mut Vec<u8>, label: &NodeLabel) {
    let length = u16::try_from(label.label_len).unwrap_or(u16::MAX);
    row.extend_from_slice(&length.to_be_bytes());
    let count = label.label_val.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    row.push(u8::try_from(count).unwrap_or(32));
    row.extend(label.label_val.iter().take(count));
}

struct Row<'a>(&'a [u8]);

impl Row<'_> {
    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Broken)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u64(&mut self) -> Read<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn byte(&mut self) -> Read<u8> {
        self.take().map(|[byte]| byte)
    }

    fn label(&mut self) -> Read<NodeLabel> {
        let label_len = self.take().map(u16::from_be_bytes)?.into();
        let count = self.byte()?;
        let (bytes, rest) = self.0.split_at_checked(count.into()).ok_or(Broken)?;
        self.0 = rest;
        let mut label_val = [0; 32];
        label_val.get_mut(..bytes.len()).ok_or(Broken)?.copy_from_slice(bytes);
        Ok(NodeLabel { label_val, label_len })
    }

    fn child(&mut self) -> Read<Option<NodeLabel>> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.label().map(Some),
            _ => Err(Broken),
        }
    }

    fn node(&mut self, label: NodeLabel) -> Read<TreeNode> {
        let node_type = match self.byte()? {
            1 => TreeNodeType::Leaf,
            2 => TreeNodeType::Root,
            3 => TreeNodeType::Interior,
            _ => return Err(Broken),
        };
        Ok(TreeNode {
            label,
            node_type,
            last_epoch: self.u64()?,
            min_descendant_epoch: self.u64()?,
            parent: self.label()?,
            left_child: self.child()?,
            right_child: self.child()?,
            hash: AzksValue(self.take()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_shorter() {
        let label = |byte: u8, bits| {
            let mut label_val = [0; 32];
            label_val[0] = byte;
            NodeLabel { label_val, label_len: bits }
        };
        let latest_node = TreeNode {
            label: label(0b1010_0000, 3),
            last_epoch: 7,
            min_descendant_epoch: 2,
            parent: label(0b1000_0000, 1),
            node_type: TreeNodeType::Interior,
            left_child: None,
            right_child: Some(NodeLabel { label_val: [0xff; 32], label_len: 256 }),
            hash: AzksValue([9; 32]),
        };
        let previous =
            TreeNode { last_epoch: 6, left_child: Some(label(1, 8)), ..latest_node.clone() };
        for previous_node in [None, Some(previous)] {
            let whole = TreeNodeWithPreviousValue {
                label: latest_node.label,
                latest_node: latest_node.clone(),
                previous_node,
            };
            let row = node_row(&whole);
            assert_eq!(node(whole.label, &row), Ok(whole.clone()));
            for end in 0..row.len() {
                assert_ne!(node(whole.label, &row[..end]), Ok(whole.clone()), "{end}");
            }
        }
    }
}
