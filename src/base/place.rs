/// The part of a walk over a module, a [`ModuleVisitor`](burn::module::ModuleVisitor) or
/// [`ModuleMapper`](burn::module::ModuleMapper), that keeps the names of the modules that the walk is
/// inside of in its field `path`.
macro_rules! keeps_path {
    () => {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
    };
}
pub(crate) use keeps_path;
