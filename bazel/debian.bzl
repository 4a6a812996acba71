"""Repositories that adapt Debian's Bazel 4.2.3 packages to what Bazel wants."""

_RULES_CC = "/usr/share/bazel/rules/cc"

def _debian_rules_cc_impl(repository_ctx):
    if not repository_ctx.path(_RULES_CC).exists:
        fail("%s is missing: run `make setup` (package bazel-rules-cc)" % _RULES_CC)
    repository_ctx.execute(["cp", "-r", _RULES_CC + "/.", "."])

    # Debian's rules_cc is newer than its Bazel: use_cpp_toolchain() does not
    # exist in @bazel_tools of Bazel 4, which finds the toolchain without it.
    for path in [
        "cc/private/rules_impl/cc_flags_supplier.bzl",
        "cc/private/rules_impl/compiler_flag.bzl",
    ]:
        text = repository_ctx.read(path)
        text = text.replace(", \"use_cpp_toolchain\")", ")")
        text = text.replace("toolchains = use_cpp_toolchain(),", "")
        repository_ctx.file(path, text, executable = False)

debian_rules_cc = repository_rule(
    implementation = _debian_rules_cc_impl,
    doc = "Copies Debian's rules_cc and drops what Bazel 4 does not have.",
    local = True,
)

def _coverage_tools_stub_impl(repository_ctx):
    repository_ctx.file("BUILD", """
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
""")

coverage_tools_stub = repository_rule(
    implementation = _coverage_tools_stub_impl,
    doc = """Stands in for the coverage tools, which `bazel test` would
otherwise download although coverage is not collected.""",
)
