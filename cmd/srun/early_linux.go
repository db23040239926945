package main

// The sandbox's first process starts before Go does: see linux/box/enter.c.

// int srun_early_init = 1;
import "C"
