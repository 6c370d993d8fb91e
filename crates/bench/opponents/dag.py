"""{a,b} -> {c,d} -> e -> f -> g -> h with LangGraph: every node is one process that does nothing."""

import operator
import subprocess
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    done: Annotated[list[str], operator.add]


def node(name: str):
    def run(_: State) -> State:
        subprocess.run(["true"], check=True)
        return {"done": [name]}

    return run


graph = StateGraph(State)
for name in "abcdefgh":
    graph.add_node(name, node(name))
graph.add_edge(START, "a")
graph.add_edge(START, "b")
graph.add_edge(["a", "b"], "c")
graph.add_edge(["a", "b"], "d")
graph.add_edge(["c", "d"], "e")
for first, then in zip("efg", "fgh"):
    graph.add_edge(first, then)
graph.add_edge("h", END)
done = graph.compile().invoke({"done": []})["done"]
assert sorted(done) == list("abcdefgh") and done[-1] == "h", done
