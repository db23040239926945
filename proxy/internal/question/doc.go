// Package question puts hosts that no rule decides to the user: one question at a
// time, one for all who want the same, and each answer for as long as it holds.
// It knows of no connection.
package question
