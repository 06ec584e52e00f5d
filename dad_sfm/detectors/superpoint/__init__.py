"""SuperPoint and Reinforced Feature Points: one network of ours, the weights of their authors."""
