#include "calls.h"
const struct test_case block_cases[] = {{0}};
