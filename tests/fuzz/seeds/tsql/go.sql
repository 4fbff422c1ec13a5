SELECT TOP 1 [a b], [c]]d] FROM [dbo].[t];
GO
DECLARE @x int = 1; BEGIN TRAN; UPDATE t SET a = 1; COMMIT
GO
