//! Arrays survive the trip to bytes and back, whatever they hold.

use std::io::Cursor;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use wowflow_data::npy::{NpyArray, NpyData, read_npy_from, read_npz_from, write_npy_to, write_npz_to};

fn array() -> impl Strategy<Value = NpyArray> {
    vec(0..5usize, 0..4).prop_flat_map(|shape| {
        let count: usize = shape.iter().product();
        let text = "[^\0]{0,6}".prop_map(|text: String| text);
        let data = prop_oneof![
            vec(any::<f32>(), count).prop_map(NpyData::F32),
            vec(any::<f64>(), count).prop_map(NpyData::F64),
            vec(any::<u8>(), count).prop_map(NpyData::U8),
            vec(any::<bool>(), count).prop_map(NpyData::Bool),
            vec(any::<i64>(), count).prop_map(NpyData::I64),
            vec(text, count).prop_map(NpyData::Text),
        ];
        data.prop_map(move |data| NpyArray { shape: shape.clone(), data })
    })
}

/// The bytes of an array: equal exactly when all elements are, NaNs included.
fn bytes(array: &NpyArray) -> Vec<u8> {
    let mut out = Vec::new();
    write_npy_to(&mut out, array).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_array(array in array()) {
        let encoded = bytes(&array);
        let again = read_npy_from(&mut &encoded[..], Path::new("memory")).unwrap();
        prop_assert_eq!(&again.shape, &array.shape);
        prop_assert_eq!(again.data.type_name(), array.data.type_name());
        prop_assert_eq!(bytes(&again), encoded);
    }

    #[test]
    fn an_archive(arrays in vec(array(), 0..4)) {
        let names: Vec<String> = (0..arrays.len()).map(|index| format!("naïve {index}")).collect();
        let named: Vec<(&str, &NpyArray)> = names.iter().map(String::as_str).zip(&arrays).collect();
        let mut encoded = Cursor::new(Vec::new());
        write_npz_to(&mut encoded, &named).unwrap();
        let again = read_npz_from(encoded, Path::new("memory")).unwrap();
        prop_assert_eq!(again.iter().map(|(name, _)| name).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
        for ((_, again), array) in again.iter().zip(&arrays) {
            prop_assert_eq!(&again.shape, &array.shape);
            prop_assert_eq!(bytes(again), bytes(array));
        }
    }
}

/// Checksums do not cover names: each stands in two places, which must agree.
#[test]
fn a_name_damaged_in_one_place_is_noticed() {
    let array = NpyArray::f64([1], vec![0.5]);
    let mut whole = Cursor::new(Vec::new());
    write_npz_to(&mut whole, &[("X", &array), ("sample_weight", &array)]).unwrap();
    let whole = whole.into_inner();
    let name = b"sample_weight";
    let places: Vec<usize> = (0..whole.len()).filter(|&at| whole[at..].starts_with(name)).collect();
    assert_eq!(places.len(), 2);
    for place in places {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        let error = read_npz_from(Cursor::new(damaged), Path::new("a.npz")).unwrap_err().to_string();
        assert!(error.contains("as the archive lists"), "{error}");
    }
}

/// A writer that takes so many bytes.
struct Short(Cursor<Vec<u8>>, usize);

impl std::io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.position() as usize + bytes.len() > self.1 {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Short {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn an_archive_that_finds_no_room_is_an_error_wherever_that_is() {
    let array = NpyArray::f64([5], vec![0.5; 5]);
    let write = |room: usize| write_npz_to(Short(Cursor::default(), room), &[("X", &array), ("y", &array)]);
    let whole = (0..).find(|room| write(*room).is_ok()).unwrap();
    assert!(whole > 400 && (0..whole).all(|room| write(room).is_err()));
    let error = write(whole / 2).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}
