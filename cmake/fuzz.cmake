# fuzz_target(): one program that takes hostile bytes, and its corpus, which is run as an ordinary test.
#
#   fuzz_target(fuzz_NAME [SOURCES extra.c ...] [USES module ...] [VENDOR pkg-config-name ...])
#
# The program is fuzz_NAME.c, which defines LLVMFuzzerTestOneInput(); its corpus is the folder corpus_NAME beside it, at
# least one file. With the preset `fuzz` it is linked with libFuzzer (see tools/fuzz); with every other preset with a
# driver that runs each file of the corpus once. Either way it is a test of ctest labelled `fuzz`.
function(fuzz_target name)
  cmake_parse_arguments(F "" "" "SOURCES;USES;VENDOR" ${ARGN})
  if(NOT name MATCHES "^fuzz_")
    message(FATAL_ERROR "fuzz target ${name}: its name has to begin with fuzz_")
  endif()
  string(REGEX REPLACE "^fuzz_" "corpus_" corpus ${name})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/${corpus})
  file(GLOB files CONFIGURE_DEPENDS ${corpus}/*)
  if(NOT files)
    message(FATAL_ERROR "fuzz target ${name}: its corpus ${corpus} has no file")
  endif()
  add_executable(${name} ${name}.c ${F_SOURCES})
  target_link_libraries(${name} PRIVATE Threads::Threads)
  sluice_use(${name} test ${F_USES})
  sluice_vendor(${name} ${F_VENDOR})
  sluice_warnings(${name})
  if(SLUICE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${name} COMMAND ${name} -runs=0 ${corpus})
  else()
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/driver.c)
    add_test(NAME ${name} COMMAND ${name} ${corpus})
  endif()
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 300)
  file(APPEND ${CMAKE_BINARY_DIR}/fuzz_targets.txt "${name} ${corpus}\n") # for tools/fuzz
endfunction()

file(WRITE ${CMAKE_BINARY_DIR}/fuzz_targets.txt "")
