print("farthing")
