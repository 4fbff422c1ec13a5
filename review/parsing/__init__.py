"""Parse trees and the facts extracted from them: the only part of the engine that uses sqlglot."""
