"""Reads infra/*.bicep as data: what Azure would be asked for, with parameters, variables, loops and outputs filled in.

What only Azure knows stays as text: `account.id`, `identity.properties.principalId`.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pycep

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
FILES = tuple(sorted(file.name for file in INFRA.glob("*.bicep")))

STORAGE = "Microsoft.Storage/storageAccounts"
CONTAINER = "Microsoft.Storage/storageAccounts/blobServices/containers"
ROLE = "Microsoft.Authorization/roleAssignments"
ALERT = "Microsoft.Insights/scheduledQueryRules"
SITE = "Microsoft.Web/sites"
LIFECYCLE = "Microsoft.Storage/storageAccounts/managementPolicies"
LOCK = "Microsoft.Authorization/locks"
AUDIT = "Microsoft.Insights/diagnosticSettings"

# What a caller of `azd up` gives; all else has a default.
GIVEN = {"environmentName": "production", "location": "westeurope", "alertEmail": "finops@contoso.example"}

_UNIQUE = "abcdefghijklm"
"""As long as what Bicep's uniqueString answers."""


@functools.cache
def parsed(file: str) -> Any:
    """The file's syntax tree, as pycep gives it: parameters, variables, resources, modules, outputs."""
    return pycep.BicepParser().parse(file_path=INFRA / file)


def walk(node: Any) -> Iterator[Any]:
    """The node and all that is below it."""
    yield node
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in below:
        yield from walk(child)


@dataclass(frozen=True)
class Resource:
    """One resource that Azure is asked for, in the template that asks."""

    template: "Template"
    symbol: str
    kind: str
    config: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """What the resource type itself defines."""
        properties: dict[str, Any] = self.config["properties"]
        return properties


class Template:
    """One Bicep file, evaluated with these parameters."""

    def __init__(self, file: str, given: Mapping[str, Any]) -> None:
        self.file = file
        self._tree = parsed(file)
        self._given = given

    def parameter(self, name: str) -> Any:
        """The given value, else the default."""
        return self._given[name] if name in self._given else self._value(self._tree["parameters"][name]["default"])

    def variable(self, name: str) -> Any:
        """The variable's value."""
        return self._value(self._tree["variables"][name]["value"])

    def output(self, name: str) -> Any:
        """The output's value."""
        return self._value(self._tree["outputs"][name]["value"])

    def modules(self) -> dict[str, "Template"]:
        """The modules that are deployed, by symbol: those without a condition, or with one that holds."""
        built = {symbol: self._module(symbol) for symbol in self._tree.get("modules", {})}
        return {symbol: module for symbol, module in built.items() if module}

    def resources(self, kind: str = "") -> list[Resource]:
        """The resources of this type, or all, that are built; `existing` ones are only looked up."""
        return [
            Resource(self, symbol, found["type"], config)
            for symbol, found in self._tree.get("resources", {}).items()
            if not found["existing"] and kind in {"", found["type"]}
            for config in self._repeated(self._where_it_holds(found["config"]))
        ]

    def resource(self, kind: str) -> Resource:
        """The one resource of this type."""
        (found,) = self.resources(kind)
        return found

    def kind_of(self, symbol: str) -> str:
        """The type of the resource that has this name in the file."""
        kind: str = self._tree["resources"][symbol]["type"]
        return kind

    def _module(self, symbol: str) -> "Template | None":
        module = self._tree["modules"][symbol]
        config = self._where_it_holds(module["config"])
        return Template(module["detail"]["path"], self._value(config["params"])) if config else None

    def _where_it_holds(self, config: dict[str, Any]) -> dict[str, Any] | None:
        # A loop has a condition of each turn, which no file here uses.
        if "condition" not in config or "loop_type" in config:
            return config
        return config["config"] if self._value(config["condition"]) else None

    def _repeated(self, config: dict[str, Any] | None) -> list[Any]:
        if config is None:
            return []
        if "loop_type" not in config:
            return [self._value(config)]
        loop = config["loop_type"]["detail"]
        items = self._value(loop["array_name"])
        return [self._value(config["config"], {loop["item_name"]: item}) for item in items]

    def _value(self, node: Any, local: Mapping[str, Any] | None = None) -> Any:
        local = local or {}
        match node:
            case {"function": {"type": name, "parameters": given}}:
                return _called(name, [self._value(argument, local) for argument in given.values()])
            case {"operator": {"type": operator, "operands": operands}}:
                return self._result(operator, operands, node, local)
            case dict():
                return {self._text(key.strip("'"), {}): self._value(value, local) for key, value in node.items()}
            case list():
                return [self._value(item, local) for item in node]
            case str():
                return self._member(node, [], local) if self._is_name(node) else self._text(node, local)
        return node

    def _result(self, operator: str, operands: Mapping[str, Any], node: Any, local: Mapping[str, Any]) -> Any:
        match operator:
            case "or":
                return any(self._value(operand, local) for operand in operands.values())
            case "conditional":
                chosen = "true_value" if self._value(operands["condition"], local) else "false_value"
                return self._value(operands[chosen], local)
        root, *names = _path(node)
        return self._member(self._value(root, local) if isinstance(root, dict) else root, names, local)

    def _text(self, text: str, local: Mapping[str, Any]) -> str:
        def inserted(found: re.Match[str]) -> str:
            root, *names = found[1].split(".")
            return str(self._member(root, names, local))

        return re.sub(r"\$\{([^}]+)\}", inserted, text)

    def _is_name(self, text: str) -> bool:
        return any(text in self._tree.get(kind, {}) for kind in ("parameters", "variables"))

    def _member(self, root: str, names: list[str], local: Mapping[str, Any]) -> Any:
        if root in local or self._is_name(root):
            value = local[root] if root in local else self._named(root)
            return functools.reduce(lambda value, name: value[name], names, value)
        if root in self._tree.get("modules", {}) and names[:1] == ["outputs"]:
            module = self._module(root)
            return module.output(names[1]) if module else None
        if root in self._tree.get("resources", {}):
            return self._of_resource(root, names)
        return ".".join([root, *names])

    def _named(self, name: str) -> Any:
        return self.variable(name) if name in self._tree.get("variables", {}) else self.parameter(name)

    def _of_resource(self, symbol: str, names: list[str]) -> Any:
        name = self._value(self._tree["resources"][symbol]["config"].get("name", ""))
        match names:
            case ["name"]:
                return name
            case ["properties", "primaryEndpoints", "blob"]:
                return f"https://{name}.blob.core.windows.net/"
        return ".".join([symbol, *names])


def _path(node: Any) -> list[Any]:
    if not isinstance(node, dict) or "operator" not in node:
        return [node]
    operands = node["operator"]["operands"]
    return [*_path(operands["operand_1"]), *_path(operands["operand_2"])]


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "empty": lambda value: not value,
    "format": lambda text, *values: text.format(*values),
    "items": lambda named: [{"key": key, "value": value} for key, value in sorted(named.items())],
    "join": lambda items, delimiter: delimiter.join(items),
    "starts_with": lambda text, beginning: text.startswith(beginning),
    "union": lambda *maps: functools.reduce(lambda merged, more: merged | more, maps),
    "unique_string": lambda *_: _UNIQUE,
}


def _called(name: str, given: list[Any]) -> Any:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](*given)
    return f"{name}({', '.join(str(argument) for argument in given if argument is not None)})"


def deployment(**given: Any) -> Template:
    """What `azd up` asks Azure for, with these parameters besides the required ones."""
    return Template("main.bicep", GIVEN | given)


def modules(**given: Any) -> dict[str, Template]:
    """The deployment's modules, by symbol."""
    return deployment(**given).modules()


def all_of(kind: str, **given: Any) -> list[Resource]:
    """All resources of this kind."""
    return [resource for module in modules(**given).values() for resource in module.resources(kind)]


def app_settings(**given: Any) -> dict[str, str]:
    """The app settings."""
    settings: dict[str, str] = modules(**given)["app"].resource("Microsoft.Web/sites/config").properties
    return settings
