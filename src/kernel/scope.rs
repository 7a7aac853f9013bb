/// What a scope undoes at its end: runs something when dropped, also when a panic passes.
pub(super) struct Restore<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for Restore<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::{Numerics, Path, choose, composed};

    #[test]
    fn convention_scopes_end_where_they_end() {
        let before = Numerics::current();
        let broken = std::panic::catch_unwind(|| {
            Numerics::Fast.run(|| composed(|| panic!("as an attack's loss may")))
        });
        assert!(broken.is_err());
        assert_eq!(Numerics::current(), before);
        assert_eq!(choose("test", || true), Path::Kernel);
        let nested = Numerics::Fast.run(|| Numerics::Exact.run(Numerics::current));
        assert_eq!(nested, Numerics::Exact);
        let elsewhere = Numerics::Fast.run(|| {
            std::thread::spawn(Numerics::current)
                .join()
                .expect("a thread")
        });
        assert_eq!(elsewhere, before);
    }
}
