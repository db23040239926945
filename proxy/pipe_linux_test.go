package proxy

func pipesInUse() int { return int(totalPipes.Load()) - len(idlePipes) }
