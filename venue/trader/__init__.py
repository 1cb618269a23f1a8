"""A client process of the demo: several firms trade over the SDK and write down what they see."""
