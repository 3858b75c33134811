//! The exported `Signer`, key files, and the policy without a key for its tests.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

use std::path::PathBuf;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_solana::policy::{self, Claim, Code, Off, Policy, PolicyConfig, Refusal, State, Verdict};
use utb_solana::record::Flusher;
use utb_solana::sign::{Library, Seed};
use utb_solana::signer::Place;
use utb_solana::{Key, keystore};
use zeroize::Zeroizing;

use crate::error::bytes;

/// A message, its claim, and when it is asked for (seconds).
type Asked = (Vec<u8>, Vec<u8>, u64);

fn value_error(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The signature, or the refusal's code and message.
#[derive(IntoPyObject)]
enum Answer<'py> {
    Signature(Bound<'py, PyBytes>),
    Refusal((&'static str, String)),
}

/// Key, policy and record in one.
#[pyclass(module = "utb._core")]
pub(crate) struct Signer {
    inner: utb_solana::signer::Signer,
    uid: u32,
    plain: bool,
}

fn library_of(name: &str) -> PyResult<Library> {
    match name {
        "aws_lc" => Ok(Library::AwsLc),
        "dalek" => Ok(Library::Dalek),
        other => Err(value_error(format!("library is {other}, must be aws_lc or dalek"))),
    }
}

impl Signer {
    fn in_memory(seed: &Seed, policy: &[u8], library: &str) -> PyResult<Self> {
        let config = PolicyConfig::from_json(policy).map_err(value_error)?;
        let inner = utb_solana::signer::Signer::new(seed, library_of(library)?, &config, None)
            .map_err(value_error)?;
        Ok(Self { inner, uid: 0, plain: false })
    }
}

#[pymethods]
impl Signer {
    #[staticmethod]
    #[pyo3(signature = (seed, policy, library = "aws_lc"))]
    fn from_seed(
        py: Python<'_>,
        seed: PyBuffer<u8>,
        policy: &[u8],
        library: &str,
    ) -> PyResult<Self> {
        let secret = Zeroizing::new(bytes(py, "seed", &seed)?);
        let mut copy = Zeroizing::new([0; 32]);
        if secret.len() != copy.len() {
            return Err(value_error(format!("seed has {} bytes, must be 32", secret.len())));
        }
        copy.copy_from_slice(&secret);
        Self::in_memory(&Seed::new(copy), policy, library)
    }

    #[staticmethod]
    fn generate(policy: &[u8]) -> PyResult<Self> {
        Self::in_memory(&Seed::random().map_err(value_error)?, policy, "aws_lc")
    }

    #[staticmethod]
    #[pyo3(signature = (path, passphrase, policy, directory, uid, now_s, library = "aws_lc"))]
    #[expect(clippy::too_many_arguments, reason = "each names a thing of its own")]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        passphrase: Option<PyBuffer<u8>>,
        policy: &[u8],
        directory: PathBuf,
        uid: u32,
        now_s: u64,
        library: &str,
    ) -> PyResult<Self> {
        let config = PolicyConfig::from_json(policy).map_err(value_error)?;
        let library = library_of(library)?;
        let secret = secret_of(py, passphrase)?;
        let words = secret.as_ref().map(|it| it.as_slice());
        let loaded = py.detach(|| keystore::load(&path, uid, words)).map_err(value_error)?;
        let place = Place { directory, uid };
        let inner =
            utb_solana::signer::Signer::new(&loaded.seed, library, &config, Some((&place, now_s)))
                .map_err(value_error)?;
        Ok(Self { inner, uid, plain: loaded.plain })
    }

    #[getter]
    fn plain(&self) -> bool {
        self.plain
    }

    fn public_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.wallet().as_bytes())
    }

    fn address(&self) -> String {
        self.inner.wallet().to_base58()
    }

    fn sign<'py>(
        &mut self,
        py: Python<'py>,
        message: &[u8],
        claim: &[u8],
        now_s: u64,
    ) -> Answer<'py> {
        let signed =
            Claim::from_json(claim).and_then(|claim| self.inner.sign(message, &claim, now_s));
        match signed {
            Ok(signature) => Answer::Signature(PyBytes::new(py, &signature)),
            Err(refusal) => Answer::Refusal((refusal.code.text(), refusal.message)),
        }
    }

    fn halt(&mut self) -> PyResult<()> {
        self.inner.halt(self.uid).map_err(value_error)
    }

    fn halted(&self) -> bool {
        self.inner.halted()
    }

    fn reserve_ahead(&mut self) -> PyResult<()> {
        self.inner.reserve_ahead().map_err(value_error)
    }

    fn reserved(&mut self) {
        self.inner.reserved();
    }

    fn doubt(&mut self) {
        self.inner.doubt();
    }

    fn flusher(&self) -> PyResult<RecordFlusher> {
        Ok(RecordFlusher { inner: self.inner.flusher().map_err(value_error)? })
    }

    fn close(&mut self) -> PyResult<()> {
        self.inner.close().map_err(value_error)
    }
}

/// Brings a signer's record to the disk, in a thread of its own.
#[pyclass(module = "utb._core", frozen)]
pub(crate) struct RecordFlusher {
    inner: Option<Flusher>,
}

#[pymethods]
impl RecordFlusher {
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        let Some(flusher) = &self.inner else { return Ok(()) };
        py.detach(|| flusher.sync()).map_err(value_error)
    }
}

fn secret_of(
    py: Python<'_>,
    passphrase: Option<PyBuffer<u8>>,
) -> PyResult<Option<Zeroizing<Vec<u8>>>> {
    passphrase.map(|it| bytes(py, "passphrase", &it).map(Zeroizing::new)).transpose()
}

/// Makes a new key and its keystore file; returns the address.
#[pyfunction]
pub(crate) fn keystore_new(
    py: Python<'_>,
    path: PathBuf,
    passphrase: PyBuffer<u8>,
    uid: u32,
) -> PyResult<String> {
    let seed = Seed::random().map_err(value_error)?;
    let secret = Zeroizing::new(bytes(py, "passphrase", &passphrase)?);
    py.detach(|| keystore::save(&path, uid, &seed, &secret)).map_err(value_error)?;
    Ok(Key(seed.public_key()).to_base58())
}

/// Encrypts a plain Solana key file into a keystore file; returns the address.
#[pyfunction]
pub(crate) fn keystore_import(
    py: Python<'_>,
    source: PathBuf,
    path: PathBuf,
    passphrase: PyBuffer<u8>,
    uid: u32,
) -> PyResult<String> {
    let secret = Zeroizing::new(bytes(py, "passphrase", &passphrase)?);
    let loaded = keystore::load(&source, uid, None).map_err(value_error)?;
    py.detach(|| keystore::save(&path, uid, &loaded.seed, &secret)).map_err(value_error)?;
    Ok(Key(loaded.seed.public_key()).to_base58())
}

/// Returns whether a key file is encrypted, and its address.
#[pyfunction]
pub(crate) fn keystore_show(path: PathBuf, uid: u32) -> PyResult<(bool, String)> {
    keystore::describe(&path, uid).map_err(value_error)
}

/// Returns every refusal code: name, words, whether it is a rule.
#[pyfunction]
pub(crate) fn refusal_codes() -> Vec<(&'static str, &'static str, bool)> {
    Code::ALL.iter().map(|it| (it.text(), it.words(), it.is_rule())).collect()
}

/// Judges messages one after the other as a signer would, without a key: None, or the refusal.
#[pyfunction]
#[pyo3(signature = (wallet, policy, asked, off = vec![], halted = false))]
pub(crate) fn policy_probe(
    wallet: [u8; 32],
    policy: &[u8],
    asked: Vec<Asked>,
    off: Vec<String>,
    halted: bool,
) -> PyResult<Vec<Option<(&'static str, String)>>> {
    let config = PolicyConfig::from_json(policy).map_err(value_error)?;
    let policy = Policy::new(Key(wallet), &config).map_err(value_error)?;
    let mut rules = Off::NONE;
    for name in off {
        let code = Code::named(&name)
            .ok_or_else(|| value_error(format!("off is {name}, must be a refusal code")))?;
        rules = rules.with(code);
    }
    let mut state = State::default();
    state.halted = halted;
    let answer = |it: Asked, state: &mut State| probe(&policy, &it, state, rules);
    Ok(asked.into_iter().map(|it| answer(it, &mut state)).collect())
}

fn probe(
    policy: &Policy,
    (message, claim, now_s): &Asked,
    state: &mut State,
    off: Off,
) -> Option<(&'static str, String)> {
    let verdict = Claim::from_json(claim)
        .and_then(|claim| policy::check_without(policy, message, &claim, (state, *now_s), off));
    match verdict {
        Ok(Verdict::Sign(change)) => state.apply(&change),
        Ok(Verdict::Again) => {}
        Err(Refusal { code, message }) => return Some((code.text(), message)),
    }
    None
}
