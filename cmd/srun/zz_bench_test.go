package main
import ("testing";"srun/policy")
func BenchmarkHomes(b *testing.B){ for b.Loop(){ var o policy.Options; homes(&o)} }
func BenchmarkLoad(b *testing.B){ for _,other := range [][]string{nil,{"/other"}} { b.Run("", func(b *testing.B){ for b.Loop(){ policy.Load(policy.Options{Dir:"/tmp",Home:"/root",OtherHomes:other})}})} }
