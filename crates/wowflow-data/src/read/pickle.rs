//! A reader of Python pickles that runs nothing: it builds plain values and refuses the rest.

use std::collections::HashMap;
use std::path::Path;

use crate::bounded::Budget;
use crate::error::DataError;

/// Names a CIFAR-10 batch needs; they are kept as names and never looked up.
const KNOWN: [&str; 4] = [
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
];

/// Index of a value in its [`Pickle`].
pub(super) type Id = usize;

/// A plain value; what a name applied to arguments would have built stays unbuilt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Tuple(Vec<Id>),
    Name(&'static str),
    Object { of: Id, arguments: Id, state: Option<Id> },
}

/// All values of a pickle and which of them is its content.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    top: Id,
}

impl Pickle {
    pub(super) fn top(&self) -> &Value {
        &self.values[self.top]
    }

    pub(super) fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// The value of a key that is a string.
    pub(super) fn entry(&self, dict: &Value, key: &str) -> Option<&Value> {
        let Value::Dict(entries) = dict else { return None };
        let is_key = |id: Id| matches!(self.get(id), Value::Bytes(bytes) if bytes == key.as_bytes());
        entries.iter().rev().find(|entry| is_key(entry.0)).map(|entry| self.get(entry.1))
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    position: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    file: &'a Path,
    budget: &'a Budget,
}

/// Memory for one opcode: a value and its place in lists, which grow to twice their length.
const OPCODE: usize = 2 * size_of::<Value>() + 64;

/// Reads a pickle of protocol 2 or lower in its binary opcodes.
pub(super) fn parse(bytes: &[u8], file: &Path, budget: &Budget) -> Result<Pickle, DataError> {
    let mut machine = Machine {
        bytes,
        position: 0,
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        file,
        budget,
    };
    while machine.step()? {}
    let top = machine.pop()?;
    Ok(Pickle { values: machine.values, top })
}

impl Machine<'_> {
    /// Performs one opcode; false at the end of the pickle.
    fn step(&mut self) -> Result<bool, DataError> {
        let opcode = self.byte()?;
        self.budget.take(OPCODE as u64, self.file)?;
        match opcode {
            0x80 => {
                let version = self.byte()?;
                if version > 3 {
                    return Err(self.bad("pickle protocol 2", format!("protocol {version}")));
                }
            }
            b'.' => return Ok(false),
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' => {
                let value = self.byte()?;
                self.push(Value::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.array()?);
                self.push(Value::Int(value.into()));
            }
            b'J' => {
                let value = i32::from_le_bytes(self.array()?);
                self.push(Value::Int(value.into()));
            }
            b'U' | b'C' => {
                let length = self.byte()?;
                self.string(length.into())?;
            }
            b'T' | b'X' | b'B' => {
                let length = u32::from_le_bytes(self.array()?);
                self.string(length as usize)?;
            }
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85..=0x87 => {
                let start = self.stack.len().checked_sub(usize::from(opcode - 0x84));
                let start = start.ok_or_else(|| self.unbalanced())?;
                self.tuple(start)?;
            }
            b't' => {
                let start = self.mark()?;
                self.tuple(start)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let start = self.mark()?;
                let items = self.above(start)?;
                self.append(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(&[key, value])?;
            }
            b'u' => {
                let start = self.mark()?;
                let items = self.above(start)?;
                self.insert(&items)?;
            }
            b'q' => {
                let key = self.byte()?;
                self.remember(key.into())?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.array()?);
                self.remember(key)?;
            }
            b'h' => {
                let key = self.byte()?;
                self.recall(key.into())?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.array()?);
                self.recall(key)?;
            }
            b'c' => self.name()?,
            b'R' => {
                let (arguments, of) = (self.pop()?, self.pop()?);
                if !matches!(self.values[of], Value::Name(_)) {
                    return Err(self.bad("a call of a known name", "another value".to_owned()));
                }
                self.push(Value::Object { of, arguments, state: None });
            }
            b'b' => {
                let (new, object) = (self.pop()?, self.peek()?);
                match &mut self.values[object] {
                    Value::Object { state, .. } => *state = Some(new),
                    _ => return Err(self.bad("the state of an array", "that of another value".to_owned())),
                }
            }
            _ => {
                let found = format!("opcode {opcode:#04x} at byte {}", self.position - 1);
                return Err(self.bad("a pickle of plain lists, numbers and arrays", found));
            }
        }
        Ok(true)
    }

    fn name(&mut self) -> Result<(), DataError> {
        let rest = &self.bytes[self.position..];
        let mut lines = rest.splitn(3, |&byte| byte == b'\n');
        let (Some(module), Some(name), Some(_)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(self.unbalanced());
        };
        self.position += module.len() + name.len() + 2;
        let full = format!("{} {}", String::from_utf8_lossy(module), String::from_utf8_lossy(name));
        match KNOWN.iter().find(|known| **known == full) {
            Some(known) => self.push(Value::Name(known)),
            None => {
                let shown: String = full.chars().take(60).collect();
                return Err(self.bad("a pickle that names NumPy arrays only", format!("{shown:?} (not run)")));
            }
        }
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn pop(&mut self) -> Result<Id, DataError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() > floor {
            self.stack.pop().ok_or_else(|| self.unbalanced())
        } else {
            Err(self.unbalanced())
        }
    }

    fn peek(&self) -> Result<Id, DataError> {
        self.stack.last().copied().ok_or_else(|| self.unbalanced())
    }

    fn mark(&mut self) -> Result<usize, DataError> {
        self.marks.pop().ok_or_else(|| self.unbalanced())
    }

    fn above(&mut self, start: usize) -> Result<Vec<Id>, DataError> {
        if start > self.stack.len() { Err(self.unbalanced()) } else { Ok(self.stack.split_off(start)) }
    }

    fn tuple(&mut self, start: usize) -> Result<(), DataError> {
        let items = self.above(start)?;
        self.push(Value::Tuple(items));
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), DataError> {
        let list = self.peek()?;
        match &mut self.values[list] {
            Value::List(values) => values.extend(items),
            _ => return Err(self.unbalanced()),
        }
        Ok(())
    }

    fn insert(&mut self, items: &[Id]) -> Result<(), DataError> {
        let dict = self.peek()?;
        let (pairs, rest) = items.as_chunks::<2>();
        match &mut self.values[dict] {
            Value::Dict(entries) if rest.is_empty() => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
            }
            _ => return Err(self.unbalanced()),
        }
        Ok(())
    }

    fn remember(&mut self, key: u32) -> Result<(), DataError> {
        let id = self.peek()?;
        self.memo.insert(key, id);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<(), DataError> {
        let id = self.memo.get(&key).copied().ok_or_else(|| self.unbalanced())?;
        self.stack.push(id);
        Ok(())
    }

    fn string(&mut self, length: usize) -> Result<(), DataError> {
        let (budget, file) = (self.budget, self.file);
        let bytes = self.take(length)?;
        budget.take(length as u64, file)?;
        let bytes = bytes.to_vec();
        self.push(Value::Bytes(bytes));
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&[u8], DataError> {
        let end = self.position.checked_add(length).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            let expected = self.position as u64 + length as u64;
            let found = self.bytes.len() as u64;
            return Err(DataError::Truncated { file: self.file.to_owned(), expected, found });
        };
        let bytes = &self.bytes[self.position..end];
        self.position = end;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, DataError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DataError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn bad(&self, expected: &str, found: String) -> DataError {
        DataError::format(self.file, expected, found)
    }

    fn unbalanced(&self) -> DataError {
        self.bad("a well-formed pickle", format!("a broken one at byte {}", self.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Pickle, String> {
        parse(bytes, Path::new("p"), &Budget::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn plain_values() {
        // {"a": [1, 300, -2, None, True], "b": ("x",)}
        let bytes =
            b"\x80\x02}q\x01(U\x01aq\x02]q\x03(K\x01M\x2c\x01J\xfe\xff\xff\xffN\x88eU\x01bU\x01x\x85u.";
        let pickle = read(bytes).unwrap();
        let Some(Value::List(items)) = pickle.entry(pickle.top(), "a") else { panic!() };
        let items: Vec<&Value> = items.iter().map(|&id| pickle.get(id)).collect();
        assert_eq!(
            items,
            [&Value::Int(1), &Value::Int(300), &Value::Int(-2), &Value::None, &Value::Bool(true)]
        );
        let Some(Value::Tuple(items)) = pickle.entry(pickle.top(), "b") else { panic!() };
        assert_eq!(pickle.get(items[0]), &Value::Bytes(b"x".to_vec()));
        assert!(pickle.entry(pickle.top(), "c").is_none());
    }

    #[test]
    fn names_that_would_run_are_refused() {
        let error = read(b"\x80\x02cos\nsystem\nU\x0fecho pwned >out\x85R.").unwrap_err();
        assert_eq!(error, "p: expected a pickle that names NumPy arrays only, found \"os system\" (not run)");
        let error = read(b"\x80\x02c__builtin__\neval\n.").unwrap_err();
        assert!(error.contains("__builtin__ eval"), "{error}");
        // INST, OBJ, NEWOBJ, STACK_GLOBAL and persistent ids are unknown opcodes here.
        for opcode in *b"io\x81\x93PQ" {
            let error = read(&[0x80, 2, opcode, b'.']).unwrap_err();
            assert!(error.contains(&format!("opcode {opcode:#04x} at byte 2")), "{error}");
        }
    }

    #[test]
    fn broken_pickles_are_errors() {
        let cases: [&[u8]; 14] = [
            b"",
            b"\x80",
            b".",
            b"e.",
            b"(e.",
            b"\x85.",
            b"h\x01.",
            b"q\x01.",
            b"}K\x01s.",
            b"](K\x01K\x02u.",
            b"cos",
            b"T\xff\xff\xff\xffabc.",
            b"K\x01)R.",
            b"](0",
        ];
        for bytes in cases {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(read(b"\x80\x05N.").unwrap_err().contains("protocol 5"));
    }
}
