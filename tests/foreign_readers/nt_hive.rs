//! The nt-hive crate: raw bytes of every value, and keys found by name, which needs the order and
//! the hints of subkey lists to be right.

use nt_hive::{Hive, KeyNode};
use snapdiag_fixtures::hive::{HiveBuilder, Key, LeafKind, Tree};

use crate::hives::{EVERYTHING, many_keys};
use crate::readers::base;

fn compare(key: &Key, node: &KeyNode<'_, &[u8]>) {
    let class = node
        .class_name()
        .map(|class| class.unwrap().to_string_lossy());
    assert_eq!(class.as_deref(), key.class(), "{}", key.name());
    for value in key.values() {
        let seen = node.value(&value.name).unwrap().unwrap();
        assert_eq!(
            seen.data_size() as usize,
            value.data.len(),
            "{}",
            value.name
        );
        let data = seen.data().unwrap().into_vec().unwrap();
        assert!(data == value.data, "{}::{}", key.name(), value.name);
    }
    let values = node.values().map_or(0, |values| values.unwrap().count());
    assert_eq!(values, key.values().len());
    for subkey in key.subkeys() {
        compare(subkey, &node.subkey(subkey.name()).unwrap().unwrap());
        // Names are found in any case.
        assert!(
            node.subkey(&subkey.name().to_uppercase()).is_some(),
            "{}",
            subkey.name()
        );
    }
    let subkeys = node.subkeys().map_or(0, |subkeys| subkeys.unwrap().count());
    assert_eq!(subkeys, key.subkeys().len());
}

#[test]
fn every_value_and_every_key_by_name() {
    for tree in [Tree::parse(EVERYTHING, base()).unwrap(), many_keys(2000)] {
        for (version, leaf) in [
            (5, LeafKind::Hash),
            (5, LeafKind::Index),
            (6, LeafKind::Fast),
        ] {
            let hive = HiveBuilder::new(&tree)
                .version(version)
                .leaf(leaf)
                .build()
                .unwrap();
            let hive = Hive::new(hive.as_slice()).unwrap();
            compare(tree.root(), &hive.root_key_node().unwrap());
        }
    }
}

#[test]
fn a_dirty_hive_is_refused() {
    let tree = Tree::parse(EVERYTHING, base()).unwrap();
    let hive = HiveBuilder::new(&tree).sequence(8, 7).build().unwrap();
    assert!(Hive::new(hive.as_slice()).is_err());
}
