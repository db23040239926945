package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryGoal is the most that all of srun's processes together may have held
// resident at their peaks, in KiB.
const memoryGoal = 20 << 10

// peakMemory prints the sum of the peaks (VmHWM) of srun's own processes while
// a command runs, the in-sandbox half included and the command not. VmHWM
// belongs to a process's memory map: unlike ru_maxrss it does not start at the
// size of whoever forked it.
func peakMemory(srun string) error {
	cmd := exec.Command(srun, "--", "sleep", "30")
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err := untilRunning(cmd.Process.Pid, "sleep"); err != nil {
		return err
	}

	total := 0
	for _, pid := range tree(cmd.Process.Pid) {
		if comm(pid) == "sleep" {
			continue
		}
		peak := statusKiB(pid, "VmHWM")
		fmt.Printf("%-30s %7d KiB\n", fmt.Sprintf("peak memory, %s", comm(pid)), peak)
		total += peak
	}
	fmt.Printf("%-30s %7d KiB %20.3f %6.2f\n", "peak memory, all", total, float64(total)/memoryGoal, 1.0)
	return nil
}

// untilRunning waits until some descendant of pid is the program name.
func untilRunning(pid int, name string) error {
	for range 200 {
		for _, p := range tree(pid) {
			if p != pid && comm(p) == name {
				return nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%s did not start within 2 s", name)
}

// tree returns pid and all its descendants.
func tree(pid int) []int {
	pids := []int{pid}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(children)) {
			n, _ := strconv.Atoi(child)
			pids = append(pids, tree(n)...)
		}
	}
	return pids
}

func comm(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

func statusKiB(pid int, key string) int {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); name == key {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	return 0
}
