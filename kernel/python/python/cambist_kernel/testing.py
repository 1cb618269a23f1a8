"""Makes a command stop the engine, for tests of what handles that. Only tests may import this.

`panic_on_tag(tag)`: from now on `Engine.apply` raises EnginePanicked for every batch with a
NewOrder of this tag, in every engine of this process, also in restored ones; 0 ends that. A
CommandPoisoned that holds such an order does not count.
"""

from cambist_kernel._cambist_kernel import panic_on_tag

__all__ = ["panic_on_tag"]
